package io.berth.runtime;

import io.berth.base.RuntimeFault;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an OCI runtime prints when it refuses, reduced to the reason: runc writes logrus lines
 * ({@code time="…" level=error msg="…"}), crun a time stamp before each line. Stateless.
 */
public final class RuntimeWords {

    private static final Pattern LOGRUS = Pattern.compile("level=(?:error|fatal)\\s+msg=\"");
    /** A client's answer has to fit into the headers of HTTP/2, and a person's eye. */
    private static final int MOST_CHARACTERS = 1000;
    private static final Pattern STAMP = Pattern.compile("(?m)^\\d{4}-\\d\\d-\\d\\dT\\S+\\s+:?\\s*");

    /** runc, crun and runsc, in this order, of a program that is not there or not executable: the client's mistake, not theirs. */
    private static final Pattern NO_PROGRAM = Pattern.compile("exec: \".*\": (stat .*|executable file not found.*|permission denied"
            + "|is a directory)|executable file .* not found|open executable|find executable|finding executable",
            Pattern.CASE_INSENSITIVE);

    /** A shim's words for a container that has ended since it was last asked about. */
    private static final Pattern ENDED = Pattern.compile("cannot exec in a (stopped|deleted) state");

    private RuntimeWords() {}

    /** The failure of {@code action} that a runtime tells by {@code printed}. */
    public static RuntimeFault fault(String action, String printed) {
        String words = plain(printed);
        RuntimeFault.Kind kind = NO_PROGRAM.matcher(words).find() ? RuntimeFault.Kind.INVALID_ARGUMENT
                : ENDED.matcher(words).find() ? RuntimeFault.Kind.FAILED_PRECONDITION : RuntimeFault.Kind.INTERNAL;
        return new RuntimeFault(kind, action + ": " + words);
    }

    /** The reason in {@code printed}, bounded and on one line. */
    public static String plain(String printed) {
        Matcher line = LOGRUS.matcher(printed);
        String last = null;
        while (line.find()) {
            last = quoted(printed, line.end());
        }
        String words = last != null ? last : STAMP.matcher(printed).replaceAll("");
        words = words.strip().replaceAll("\\s*\n\\s*", "; ");
        if (words.length() > MOST_CHARACTERS) {
            // The cause stands at the end, what was tried at the beginning.
            words = words.substring(0, MOST_CHARACTERS / 2) + " … " + words.substring(words.length() - MOST_CHARACTERS / 2);
        }
        return words.isEmpty() ? "the runtime gave no reason" : words;
    }

    /** Up to the closing quote, by hand: an expression that counts escapes recurses for each one of a long text. */
    private static String quoted(String text, int from) {
        StringBuilder words = new StringBuilder();
        for (int at = from; at < text.length() && text.charAt(at) != '"'; at++) {
            boolean escaped = text.charAt(at) == '\\' && at + 1 < text.length();
            if (escaped && text.charAt(at + 1) != '"') {
                words.append('\\');
            }
            words.append(text.charAt(escaped ? ++at : at));
        }
        return words.toString();
    }
}
