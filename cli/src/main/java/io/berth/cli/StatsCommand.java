package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.FindContainer;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth stats}: what containers use. */
@Command(name = "stats", description = "Show what containers use: CPU in percent of one, memory, writable layer.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth stats", "  berth stats --watch web", "  berth stats -o json"})
final class StatsCommand extends DaemonCommand {

    @Mixin
    private OutputOption output;

    @Option(names = "--no-wait", description = "Do not measure CPU for a moment first: show what the daemon has measured.")
    private boolean noWait;

    @Parameters(paramLabel = "CONTAINER", arity = "0..*", description = "Only these.")
    private List<String> names = List.of();

    @Override
    int run(Connection berth) throws InterruptedException {
        List<String> ids = names.stream().map(name -> FindContainer.named(berth, name).getId()).toList();
        StatsView view = new StatsView(berth, each -> ids.isEmpty() || ids.contains(each.getAttributes().getId()));
        if (!noWait) {
            view.look(false);
            Thread.sleep(500);
        }
        return output.show(out(), () -> view.look(false));
    }
}
