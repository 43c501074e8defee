package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Format;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Screen;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth top}: the containers that use most, live. */
@Command(name = "top", description = "Show the containers that use most CPU, live until Ctrl-C, or once where there is no"
        + " terminal.", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth top",
            "  berth top --once"})
final class TopCommand extends DaemonCommand {

    @Option(names = "--once", description = "Show it once.")
    private boolean once;

    @Override
    int run(Connection berth) throws InterruptedException {
        StatsView view = new StatsView(berth, each -> true);
        view.look(true);
        Thread.sleep(500);
        if (once || !Screen.isTerminal(1)) {
            view.look(true).print(out(), Format.TABLE);
        } else {
            Listing.watch(out(), Format.TABLE, Duration.ofSeconds(1), () -> view.look(true));
        }
        return 0;
    }
}
