package io.berth.cli;

import io.berth.api.v1.TimelineRequest;
import io.berth.api.v1.TimelineResponse;
import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.FindPod;
import io.berth.cli.output.Format;
import io.berth.cli.output.Structured;
import io.berth.cli.output.TimelineTable;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth timeline}: where the time of a pod or container went. */
@Command(name = "timeline", description = "Show the steps of a pod or container with the time that each took, and which step"
        + " failed: why a pod is slow or stuck. Berth's own; other runtimes do not have it.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth timeline web", "  berth timeline 3f2a1c0b9d8e -o json"})
final class TimelineCommand extends DaemonCommand {

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "table",
            description = "table, json or yaml; default: ${DEFAULT-VALUE}.")
    private Format format;

    @Parameters(paramLabel = "NAME", description = "A pod or a container: an id, the beginning of an id, or a name.")
    private String name;

    @Override
    int run(Connection berth) {
        TimelineResponse timeline = timeline(berth);
        switch (format) {
            case TABLE, WIDE -> TimelineTable.lines(timeline.getStepsList()).forEach(out()::println);
            case JSON, YAML -> out().println(Structured.text(timeline, format));
        }
        return 0;
    }

    private TimelineResponse timeline(Connection berth) {
        try {
            return ask(berth, name);
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
                throw new DaemonFault(ExitCode.OTHER_VERSION, "ask for a timeline at " + berth.socket()
                        + ": only Berth keeps one, and this is " + berth.version().getRuntimeName());
            }
            if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
                throw e;
            }
            // What is still in creation is in no list but has a timeline; everything else may be meant by its name.
            return ask(berth, FindPod.find(berth, name).map(pod -> pod.getId())
                    .orElseGet(() -> FindContainer.named(berth, name).getId()));
        }
    }

    private static TimelineResponse ask(Connection berth, String id) {
        return berth.berth().timeline(TimelineRequest.newBuilder().setId(id).build());
    }
}
