package io.berth.cli.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** How the demo speaks: a line a step with its milliseconds, quoted output below it. Colours only on a terminal. */
final class DemoOutput {

    private static final String DIM = "2";
    private static final String BOLD = "1";
    private static final String GREEN = "32";
    private static final String RED = "31";

    private final PrintWriter out;
    private final boolean terminal = isTerminal();

    DemoOutput(PrintWriter out) {
        this.out = out;
    }

    // System.console() would load a line editor for this.
    private static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return (target.startsWith("/dev/pts/") || target.startsWith("/dev/tty")) && System.getenv("NO_COLOR") == null
                    && !"dumb".equals(System.getenv("TERM"));
        } catch (IOException unknown) {
            return false;
        }
    }

    void title(String text) {
        line(styled(BOLD, text));
    }

    void blank() {
        line("");
    }

    /** Tells what is being done, where the line can be replaced by {@link #done}. */
    void begin(String what) {
        if (terminal) {
            out.print(styled(DIM, "        ...  " + what));
            out.flush();
        }
    }

    void done(String what, String detail, long nanos) {
        clear();
        line(String.format(Locale.ROOT, "%8.1f ms  %-16s %s", nanos / 1e6, what, detail).stripTrailing());
    }

    /** Output of something else. */
    void quote(String text) {
        text.stripTrailing().lines().forEach(each -> line(styled(DIM, "             | ") + each));
    }

    void good(String text) {
        line(styled(GREEN, text));
    }

    void bad(String text) {
        clear();
        line(styled(RED, text));
    }

    private void clear() {
        if (terminal) {
            out.print("\r\033[K");
        }
    }

    private void line(String text) {
        out.println(text);
        out.flush();
    }

    private String styled(String code, String text) {
        return terminal ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
