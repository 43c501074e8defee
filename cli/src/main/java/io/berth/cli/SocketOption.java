package io.berth.cli;

import io.berth.cli.client.Connection;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which daemon to talk to; mixed into every command that does. */
final class SocketOption {

    @Option(names = "--socket", paramLabel = "PATH", defaultValue = "${env:BERTH_SOCKET:-/run/berth/berth.sock}",
            description = "The daemon's socket; default: $BERTH_SOCKET or /run/berth/berth.sock.")
    private Path path;

    Connection connect() {
        return Connection.to(path);
    }
}
