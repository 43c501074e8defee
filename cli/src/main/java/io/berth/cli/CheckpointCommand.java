package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.FindContainer;
import io.berth.cri.v1.CheckpointContainerRequest;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth checkpoint}: a running container with its memory as a file, which {@code berth run} goes on from. */
@Command(name = "checkpoint", description = "Write a running container with its memory to an archive; it stands still meanwhile"
        + " and then runs on. \"berth run FILE\" makes a container that goes on from it. Needs runtime.enable_criu_support"
        + " and CRIU on the node. The archive holds every secret that the container knows.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {
            "  berth checkpoint web /var/lib/checkpoints/web.tar",
            "  berth run -d --name web-again /var/lib/checkpoints/web.tar"})
final class CheckpointCommand extends DaemonCommand {

    @Option(names = {"-t", "--time"}, paramLabel = "SECONDS", defaultValue = "0",
            description = "How long it may take; default: as long as the runtime gives it.")
    private long seconds;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its id, the beginning of it, its name, or POD/NAME.")
    private String container;

    @Parameters(index = "1", paramLabel = "FILE", description = "Where to, on the node; a file that is there is replaced.")
    private Path file;

    @Override
    int run(Connection berth) {
        Path archive = file.toAbsolutePath().normalize();
        berth.runtime().checkpointContainer(CheckpointContainerRequest.newBuilder()
                .setContainerId(FindContainer.named(berth, container).getId()).setLocation(archive.toString())
                .setTimeout(seconds).build());
        out().println(archive);
        return 0;
    }
}
