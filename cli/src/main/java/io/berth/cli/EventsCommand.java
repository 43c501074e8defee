package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Format;
import io.berth.cli.output.Structured;
import io.berth.cli.output.Words;
import io.berth.cri.v1.ContainerEventResponse;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.GetEventsRequest;
import java.util.Iterator;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth events}: what happens to containers, as it happens. */
@Command(name = "events", description = "Show what happens to pods and containers from now on, until Ctrl-C.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth events",
            "  berth events -o json | jq .containerEventType"})
final class EventsCommand extends DaemonCommand {

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "table",
            description = "table, json or yaml; default: ${DEFAULT-VALUE}.")
    private Format format;

    @Override
    int run(Connection berth) {
        Iterator<ContainerEventResponse> events = berth.runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
        if (format == Format.TABLE || format == Format.WIDE) {
            out().printf("%-30s  %-8s  %-12s  %s%n", "TIME", "EVENT", "ID", "WHAT");
            out().flush();
        }
        while (events.hasNext() && !out().checkError()) {
            ContainerEventResponse event = events.next();
            out().println(switch (format) {
                case TABLE, WIDE -> line(event);
                case JSON, YAML -> Structured.text(event, format);
            });
            out().flush();
        }
        return 0;
    }

    private static String line(ContainerEventResponse event) {
        String word = event.getContainerEventType() == ContainerEventType.UNRECOGNIZED ? "unknown"
                : event.getContainerEventType().name().replaceFirst("^CONTAINER_", "").replaceFirst("_EVENT$", "")
                        .toLowerCase(Locale.ROOT);
        String pod = event.getPodSandboxStatus().getMetadata().getNamespace() + "/"
                + event.getPodSandboxStatus().getMetadata().getName();
        String what = event.getContainersStatusesList().stream()
                .filter(status -> status.getId().equals(event.getContainerId())).findFirst()
                .map(status -> pod + "/" + status.getMetadata().getName() + ending(status))
                .orElse(pod);
        return String.format("%-30s  %-8s  %-12s  %s", Words.time(event.getCreatedAt()), word,
                Words.shortId(event.getContainerId()), what);
    }

    private static String ending(ContainerStatus status) {
        return status.getFinishedAt() == 0 ? ""
                : " exit code " + status.getExitCode() + (status.getReason().isEmpty() ? "" : " (" + status.getReason() + ")");
    }
}
