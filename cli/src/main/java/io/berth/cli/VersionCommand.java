package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cri.v1.VersionResponse;
import picocli.CommandLine.Command;

/** {@code berth version}: which client this is and which runtime answers. */
@Command(name = "version", description = "Show the version of this command and of the runtime that answers.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth version",
            "  berth version --socket /run/containerd/containerd.sock"})
final class VersionCommand extends DaemonCommand {

    @Override
    int run(Connection berth) {
        VersionResponse version = berth.version();
        out().println("client: berth " + io.berth.server.Daemon.version());
        out().println("daemon: " + version.getRuntimeName() + " " + version.getRuntimeVersion() + ", CRI "
                + version.getRuntimeApiVersion() + ", at " + berth.socket());
        return 0;
    }
}
