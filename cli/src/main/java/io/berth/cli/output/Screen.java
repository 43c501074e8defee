package io.berth.cli.output;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether this process writes to a terminal, and what may be sent there. Without native code: most commands need none. */
public final class Screen {

    /** Moves to the top and clears. */
    public static final String CLEAR = "\033[H\033[2J";

    private static final String GREEN = "32";
    private static final String YELLOW = "33";
    private static final String RED = "31";

    private Screen() {}

    /** Whether {@code descriptor} (0, 1 or 2) is a terminal. */
    public static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException unknown) {
            return false;
        }
    }

    /** Whether colours are right: a terminal that can show them and a person who has not forbidden them. */
    public static boolean isColoured() {
        return isTerminal(1) && System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
    }

    public static String good(String text) {
        return coloured(GREEN, text);
    }

    public static String warning(String text) {
        return coloured(YELLOW, text);
    }

    public static String bad(String text) {
        return coloured(RED, text);
    }

    private static String coloured(String code, String text) {
        return isColoured() ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
