package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.pull.Pull;
import io.berth.cri.v1.AuthConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth pull}: gets images from their registries. */
@Command(name = "pull", description = "Pull images, with bars on a terminal.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth pull docker.io/library/busybox:1.36",
            "  berth pull --user me --password-file token registry.example.com/app:1"})
final class PullCommand extends DaemonCommand {

    @Option(names = "--user", paramLabel = "NAME", description = "Name at the registry.")
    private Optional<String> user = Optional.empty();

    @Option(names = "--password-file", paramLabel = "FILE", description = "The file with the password: on the command line"
            + " everybody on the machine could read it.")
    private Optional<Path> passwordFile = Optional.empty();

    @Option(names = "--runtime", paramLabel = "HANDLER", defaultValue = "", description = "The runtime handler that it is for:"
            + " its snapshotter may be another one than the node's.")
    private String runtime;

    @Parameters(paramLabel = "REFERENCE", arity = "1..*", description = "Such as docker.io/library/busybox:1.36.")
    private List<String> references;

    @Override
    int run(Connection berth) {
        Optional<AuthConfig> auth = auth();
        references.forEach(reference -> out().println(new Pull(berth, err()).image(reference, auth, runtime)));
        return 0;
    }

    private Optional<AuthConfig> auth() {
        if (user.isPresent() != passwordFile.isPresent()) {
            throw new DaemonFault(ExitCode.USAGE, "pull: --user and --password-file go together");
        }
        try {
            return user.isEmpty() ? Optional.empty() : Optional.of(AuthConfig.newBuilder().setUsername(user.get())
                    .setPassword(Files.readString(passwordFile.get()).strip()).build());
        } catch (IOException e) {
            throw new DaemonFault(ExitCode.USAGE, "read password file " + passwordFile.get() + ": it cannot be read: " + e);
        }
    }
}
