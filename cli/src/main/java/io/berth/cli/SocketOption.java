package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Which daemon to talk to and how long to wait for it; mixed into every command that does. */
final class SocketOption {

    private static final String DEFAULT = "/run/berth/berth.sock";

    @Option(names = "--socket", paramLabel = "PATH", description = "The socket of Berth, containerd or CRI-O;"
            + " default: $BERTH_SOCKET, $CONTAINER_RUNTIME_ENDPOINT or " + DEFAULT + ".")
    private Optional<String> path = Optional.empty();

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "10",
            description = "How long to wait for an answer that a healthy daemon has at once; default: ${DEFAULT-VALUE}.")
    private int timeoutSeconds;

    Path path() {
        String chosen = path.or(() -> Stream.of("BERTH_SOCKET", "CONTAINER_RUNTIME_ENDPOINT").map(System::getenv)
                .filter(value -> value != null && !value.isBlank()).findFirst()).orElse(DEFAULT);
        return Path.of(chosen.startsWith("unix://") ? chosen.substring("unix://".length()) : chosen);
    }

    Connection connect() {
        if (timeoutSeconds < 1) {
            throw new DaemonFault(ExitCode.USAGE, "use --timeout " + timeoutSeconds + ": seconds from 1 are needed");
        }
        return Connection.toLively(path(), Duration.ofSeconds(timeoutSeconds));
    }
}
