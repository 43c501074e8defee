package io.berth.pod.request;

import io.berth.base.RuntimeFault;
import java.util.List;

/** Texts of a request that become part of a path, a file with lines, or a process. */
final class RequestText {

    private RequestText() {}

    /** A name that could be a file's: not empty, no separator, no control character. */
    static void name(String what, String value) {
        if (value.isEmpty() || value.indexOf('/') >= 0 || value.equals(".") || value.equals("..")) {
            throw RuntimeFault.invalid(what + ": \"" + value + "\" must not be empty, \".\" or \"..\" and have no \"/\"");
        }
        line(what, value);
    }

    /** No control characters. */
    static void line(String what, String value) {
        if (value.chars().anyMatch(c -> c < 0x20 || c == 0x7f)) {
            throw RuntimeFault.invalid(what + ": \"" + value.replaceAll("\\p{Cntrl}", "?") + "\" has a control character in it");
        }
    }

    static void absolute(String what, String value) {
        if (!value.startsWith("/")) {
            throw RuntimeFault.invalid(what + ": \"" + value + "\" is not an absolute path");
        }
    }

    /** No component that leads up. */
    static void descending(String what, String value) {
        if (List.of(value.split("/")).contains("..")) {
            throw RuntimeFault.invalid(what + ": \"" + value + "\" must not have \"..\" in it");
        }
    }
}
