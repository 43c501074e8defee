package io.berth.cli;

import io.berth.api.v1.InfoRequest;
import io.berth.api.v1.InfoResponse;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.StatusRequest;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code berth status}: whether the daemon answers and what it is ready for. Exit code 1 when something is not ready. */
@Command(name = "status", description = "Show whether the daemon and its network are ready.", mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private SocketOption socket;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (Connection berth = socket.connect()) {
            PrintWriter out = spec.commandLine().getOut();
            InfoResponse info = berth.berth().info(InfoRequest.getDefaultInstance());
            out.println("berth " + info.getVersion() + ", root " + info.getRoot() + ", state " + info.getState());
            var conditions = berth.runtime().status(StatusRequest.getDefaultInstance()).getStatus().getConditionsList();
            conditions.forEach(condition -> out.println(condition.getType() + ": "
                    + (condition.getStatus() ? "yes" : "no: " + condition.getMessage())));
            out.flush();
            return conditions.stream().allMatch(condition -> condition.getStatus()) ? 0 : 1;
        }
    }
}
