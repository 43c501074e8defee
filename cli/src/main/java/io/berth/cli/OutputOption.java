package io.berth.cli;

import io.berth.cli.output.Format;
import io.berth.cli.output.Listing;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** In which form a list is printed, and whether again and again; mixed into commands that show lists. */
final class OutputOption {

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "table",
            description = "table, wide, json or yaml; default: ${DEFAULT-VALUE}.")
    private Format format;

    @Option(names = {"-w", "--watch"}, description = "Show it again whenever it changes, until Ctrl-C.")
    private boolean watch;

    @Option(names = "--interval", paramLabel = "SECONDS", defaultValue = "1",
            description = "With --watch: how often to look; default: ${DEFAULT-VALUE}.")
    private int intervalSeconds;

    Format format() {
        return format;
    }

    boolean isWide() {
        return format == Format.WIDE;
    }

    /** Prints once, or again and again. */
    int show(PrintWriter out, Supplier<Listing> look) throws InterruptedException {
        return show(out, watch, look);
    }

    int show(PrintWriter out, boolean again, Supplier<Listing> look) throws InterruptedException {
        if (again) {
            Listing.watch(out, format, Duration.ofSeconds(Math.max(1, intervalSeconds)), look);
        } else {
            look.get().print(out, format);
        }
        return 0;
    }
}
