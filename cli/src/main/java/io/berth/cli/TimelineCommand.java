package io.berth.cli;

import io.berth.api.v1.TimelineRequest;
import io.berth.api.v1.TimelineStep;
import java.io.PrintWriter;
import java.util.List;
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
        try (Connection berth = socket.connect()) {
            print(spec.commandLine().getOut(),
                    berth.berth().timeline(TimelineRequest.newBuilder().setId(id).build()).getStepsList());
        }
        return 0;
    }

    static void print(PrintWriter out, List<TimelineStep> steps) {
        long first = steps.isEmpty() ? 0 : steps.getFirst().getStartedAtNanos();
        out.printf("%9s %9s  %-16s %-17s %s%n", "AT ms", "TOOK ms", "OPERATION", "STEP", "SUBJECT");
        for (TimelineStep step : steps) {
            out.printf("%9.1f %9.1f  %-16s %-17s %s%s%n", (step.getStartedAtNanos() - first) / 1e6,
                    step.getDurationNanos() / 1e6, step.getOperation(), step.getStep(),
                    step.getSubjectId().substring(0, 12),
                    step.getError().isEmpty() ? "" : "  FAILED: " + step.getError());
        }
        out.flush();
    }
}
