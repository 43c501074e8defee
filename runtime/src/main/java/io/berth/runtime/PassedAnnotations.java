package io.berth.runtime;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Which annotations of a request a handler passes on to its runtime, in the specification: others stay with Berth, because a
 * runtime such as Kata takes settings from them. Patterns are containerd's: {@code *} is any text without a slash, {@code ?}
 * any one character but a slash. One is never passed on, whatever the patterns: runc takes a configuration of CRIU from the
 * file that it names, and CRIU runs the programs that are named in there, as root.
 *
 * @param pod patterns of a pod's annotations, which the specifications of the sandbox and of all its containers get
 * @param container patterns of a container's own annotations
 */
public record PassedAnnotations(List<String> pod, List<String> container) {

    /** Passes nothing on. */
    public static final PassedAnnotations NONE = new PassedAnnotations(List.of(), List.of());

    private static final String CRIU_CONFIGURATION = "org.criu.config";

    /** Those of a pod that are passed on, in the order of their keys. */
    public Map<String, String> ofPod(Map<String, String> annotations) {
        return matching(pod, annotations);
    }

    /** Those of a container that are passed on, in the order of their keys. */
    public Map<String, String> ofContainer(Map<String, String> annotations) {
        return matching(container, annotations);
    }

    /** Whether {@code pattern} is one: brackets and backslashes, which Go's path.Match knows too, are not. */
    public static boolean isPattern(String pattern) {
        return !pattern.isEmpty() && !pattern.matches("(?s).*[\\[\\]\\\\\\s].*");
    }

    private static Map<String, String> matching(List<String> patterns, Map<String, String> annotations) {
        Map<String, String> passed = new TreeMap<>();
        for (String pattern : patterns) {
            Pattern expression = Pattern.compile(Pattern.quote(pattern).replace("*", "\\E[^/]*\\Q").replace("?", "\\E[^/]\\Q"));
            annotations.forEach((key, value) -> {
                if (expression.matcher(key).matches() && !key.equals(CRIU_CONFIGURATION)) {
                    passed.put(key, value);
                }
            });
        }
        return passed;
    }
}
