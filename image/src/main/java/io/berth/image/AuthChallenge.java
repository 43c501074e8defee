package io.berth.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One challenge of a {@code WWW-Authenticate} header. The parser is strict and linear: what is malformed ends the list,
 * and what was read before it is kept. Source: RFC 9110, section 11.6.1.
 *
 * @param scheme in lower case
 * @param parameters by lower-case name
 */
record AuthChallenge(String scheme, Map<String, String> parameters) {

    private static final int LENGTH_LIMIT = 16 * 1024;
    private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    /** Reads all challenges of all header values. */
    static List<AuthChallenge> parse(List<String> headers) {
        List<AuthChallenge> found = new ArrayList<>();
        for (String header : headers) {
            if (header.length() <= LENGTH_LIMIT) {
                new Reader(header, found).read();
            }
        }
        return List.copyOf(found);
    }

    String parameter(String name) {
        return parameters.getOrDefault(name, "");
    }

    private static final class Reader {
        private final String text;
        private final List<AuthChallenge> found;
        private int at;

        Reader(String text, List<AuthChallenge> found) {
            this.text = text;
            this.found = found;
        }

        void read() {
            skip(" \t,");
            while (at < text.length()) {
                String scheme = token();
                if (scheme.isEmpty()) {
                    return;
                }
                skip(" \t");
                Map<String, String> parameters = new LinkedHashMap<>();
                boolean good = parameters(parameters);
                found.add(new AuthChallenge(scheme.toLowerCase(Locale.ROOT), Map.copyOf(parameters)));
                if (!good) {
                    return;
                }
                skip(" \t,");
            }
        }

        /** Reads {@code name=value, …} until what follows is another scheme; false when it is malformed. */
        private boolean parameters(Map<String, String> into) {
            while (at < text.length()) {
                int before = at;
                String name = token();
                skip(" \t");
                if (name.isEmpty() || at >= text.length() || text.charAt(at) != '=') {
                    at = before;
                    return !name.isEmpty();
                }
                at++;
                skip(" \t");
                String value = at < text.length() && text.charAt(at) == '"' ? quoted() : token();
                if (value == null || into.putIfAbsent(name.toLowerCase(Locale.ROOT), value) != null) {
                    return false;
                }
                skip(" \t");
                if (at < text.length() && text.charAt(at) != ',') {
                    return false;
                }
                skip(" \t,");
            }
            return true;
        }

        private String token() {
            int from = at;
            while (at < text.length() && isTokenMark(text.charAt(at))) {
                at++;
            }
            return text.substring(from, at);
        }

        private String quoted() {
            StringBuilder value = new StringBuilder();
            for (at++; at < text.length(); at++) {
                char c = text.charAt(at);
                if (c == '"') {
                    at++;
                    return value.toString();
                }
                if (c == '\\' && ++at < text.length()) {
                    c = text.charAt(at);
                }
                value.append(c);
            }
            return null;
        }

        private void skip(String marks) {
            while (at < text.length() && marks.indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private static boolean isTokenMark(char c) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || TOKEN_MARKS.indexOf(c) >= 0;
        }
    }
}
