package io.berth.cli;

import io.berth.cli.client.AwaitExit;
import io.berth.cli.client.Connection;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.RemoteProcess;
import io.berth.cli.output.Screen;
import io.berth.cri.v1.AttachRequest;
import io.berth.linux.Terminal;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth attach}: joins the main process of a running container. */
@Command(name = "attach", description = "Join the main process of a running container; ends with its exit code."
        + " Ctrl-P Ctrl-Q leaves a terminal without ending the container.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth attach web", "  berth attach -it shell"})
final class AttachCommand extends DaemonCommand {

    @Option(names = {"-i", "--stdin"}, description = "Pass this command's input on, where the container was made to take it.")
    private boolean stdin;

    @Option(names = {"-t", "--tty"}, description = "Let keys go through as they are pressed, where the container has a terminal.")
    private boolean tty;

    @Parameters(paramLabel = "CONTAINER", description = "An id, the beginning of an id, a name, or POD/NAME.")
    private String name;

    @Override
    int run(Connection berth) throws InterruptedException {
        String id = FindContainer.named(berth, name).getId();
        String url = url(berth, id, stdin, tty);
        RemoteProcess.Streams streams = new RemoteProcess.Streams(stdin ? Optional.of(ByteStreams.stdin()) : Optional.empty(),
                ByteStreams.stdout(), ByteStreams.stderr());
        Optional<Terminal> terminal = stdin && tty && Screen.isTerminal(0) ? Optional.of(new Terminal(0)) : Optional.empty();
        try (RemoteProcess process = RemoteProcess.connect(url)) {
            return switch (process.run(streams, terminal)) {
                case RemoteProcess.End.Detached() -> 0;
                case RemoteProcess.End.Exited(int ignored) -> AwaitExit.code(berth, id);
            };
        }
    }

    static String url(Connection berth, String id, boolean stdin, boolean tty) {
        return berth.runtime().attach(AttachRequest.newBuilder().setContainerId(id).setStdin(stdin).setTty(tty)
                .setStdout(true).setStderr(!tty).build()).getUrl();
    }
}
