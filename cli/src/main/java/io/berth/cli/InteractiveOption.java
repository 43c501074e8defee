package io.berth.cli;

import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.RemoteProcess;
import io.berth.cli.output.Screen;
import io.berth.linux.Terminal;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whether a command in a container gets this process's input and a terminal; mixed into exec and run. */
final class InteractiveOption {

    @Option(names = {"-i", "--stdin"}, description = "Pass this command's input on.")
    private boolean stdin;

    @Option(names = {"-t", "--tty"}, description = "Give it a terminal. Together with -i, keys go through as they are pressed.")
    private boolean tty;

    boolean stdin() {
        return stdin;
    }

    boolean tty() {
        return tty;
    }

    /** @throws DaemonFault USAGE when keys are to go through and there is no terminal here */
    void check() {
        if (tty && stdin && !Screen.isTerminal(0)) {
            throw new DaemonFault(ExitCode.USAGE, "use -it: the input of this command is not a terminal: leave -t away");
        }
    }

    Optional<Terminal> terminal() {
        return tty && stdin ? Optional.of(new Terminal(0)) : Optional.empty();
    }

    RemoteProcess.Streams streams() {
        return new RemoteProcess.Streams(stdin ? Optional.of(ByteStreams.stdin()) : Optional.empty(), ByteStreams.stdout(),
                ByteStreams.stderr());
    }
}
