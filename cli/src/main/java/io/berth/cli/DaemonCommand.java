package io.berth.cli;

import io.berth.cli.client.Connection;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What every command has that talks to a daemon: where the daemon is, and where the answer goes. */
abstract class DaemonCommand implements Callable<Integer> {

    @Mixin
    private SocketOption socket;

    @Spec
    private CommandSpec spec;

    /** Does the work; the exit code. */
    abstract int run(Connection berth) throws Exception;

    @Override
    public final Integer call() throws Exception {
        try (Connection berth = socket.connect()) {
            return run(berth);
        } finally {
            out().flush();
        }
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
