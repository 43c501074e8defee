package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cri.v1.RuntimeCondition;
import io.berth.cri.v1.StatusRequest;
import io.berth.cri.v1.VersionResponse;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;

/** {@code berth status}: whether the daemon answers and what it is ready for. Exit code 1 when something is not ready. */
@Command(name = "status", description = "Show whether the daemon and its network are ready.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth status", "  berth status --socket /run/containerd/containerd.sock"})
final class StatusCommand extends DaemonCommand {

    private static final Set<String> NEEDED = Set.of("RuntimeReady", "NetworkReady");

    @Override
    int run(Connection berth) {
        VersionResponse version = berth.version();
        out().println(version.getRuntimeName() + " " + version.getRuntimeVersion() + " at " + berth.socket());
        List<RuntimeCondition> conditions = berth.runtime().status(StatusRequest.getDefaultInstance()).getStatus()
                .getConditionsList();
        conditions.forEach(condition -> out().println(condition.getType() + ": "
                + (condition.getStatus() ? "yes" : "no: " + condition.getMessage())));
        // Others are news, such as containerd's warnings of what it will no longer have.
        return conditions.stream().filter(condition -> NEEDED.contains(condition.getType()))
                .allMatch(RuntimeCondition::getStatus) ? 0 : 1;
    }
}
