package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.RemoteProcess;
import io.berth.cri.v1.ExecRequest;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code berth exec}: runs a command in a running container. */
@Command(name = "exec", description = "Run a command in a running container; ends with its exit code.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth exec web ls -l /",
            "  berth exec -it web sh", "  tar c . | berth exec -i web tar x -C /srv"})
final class ExecCommand extends DaemonCommand {

    @Mixin
    private InteractiveOption interactive;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "An id, the beginning of an id, a name, or POD/NAME.")
    private String name;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "The command with its arguments.")
    private List<String> command;

    @Override
    int run(Connection berth) {
        interactive.check();
        String url = berth.runtime().exec(ExecRequest.newBuilder().setContainerId(FindContainer.named(berth, name).getId())
                .addAllCmd(command).setTty(interactive.tty()).setStdin(interactive.stdin()).setStdout(true)
                .setStderr(!interactive.tty()).build()).getUrl();
        try (RemoteProcess process = RemoteProcess.connect(url)) {
            if (interactive.stdin() && !interactive.tty() && !process.canEndInput()) {
                err().println("berth: this runtime cannot be told that the input ends (it lacks v5.channel.k8s.io): a command"
                        + " that waits for that needs Ctrl-C");
                err().flush();
            }
            return switch (process.run(interactive.streams(), interactive.terminal())) {
                case RemoteProcess.End.Exited(int code) -> code;
                case RemoteProcess.End.Detached() -> 0;
            };
        }
    }
}
