package io.berth.cli;

import io.berth.api.v1.TimelineRequest;
import io.berth.cli.client.Connection;
import io.berth.cli.output.TimelineTable;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth timeline}: where the time of a pod or container went. */
@Command(name = "timeline", description = "Show the steps of a pod or container with the time that each took.",
        mixinStandardHelpOptions = true)
final class TimelineCommand implements Callable<Integer> {

    @Mixin
    private SocketOption socket;

    @Parameters(paramLabel = "ID", description = "Id of a pod sandbox or a container, or its beginning.")
    private String id;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (Connection berth = socket.connect()) {
            TimelineTable.lines(berth.berth().timeline(TimelineRequest.newBuilder().setId(id).build()).getStepsList())
                    .forEach(out::println);
        }
        out.flush();
        return 0;
    }
}
