package io.berth.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an OCI runtime prints when it refuses, reduced to the reason: runc writes logrus lines
 * ({@code time="…" level=error msg="…"}), crun a time stamp before each line.
 */
final class RuntimeWords {

    private static final Pattern LOGRUS = Pattern.compile("level=(error|fatal)\\s+msg=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern STAMP = Pattern.compile("(?m)^\\d{4}-\\d\\d-\\d\\dT\\S+\\s+:?\\s*");

    private RuntimeWords() {}

    static String plain(String printed) {
        Matcher line = LOGRUS.matcher(printed);
        String last = null;
        while (line.find()) {
            last = line.group(2).replace("\\\"", "\"");
        }
        String words = last != null ? last : STAMP.matcher(printed).replaceAll("");
        words = words.strip().replaceAll("\\s*\n\\s*", "; ");
        return words.isEmpty() ? "the runtime gave no reason" : words;
    }
}
