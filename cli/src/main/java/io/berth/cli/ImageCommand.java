package io.berth.cli;

import io.berth.api.v1.ImportImageRequest;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.RemoveImageRequest;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth image …}: images of a running daemon. Pull and list are added by {@link Main}. */
@Command(name = "image", description = "Import, pull, list and remove images.", mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND")
final class ImageCommand {

    @Spec
    private CommandSpec spec;

    @Command(name = "import", description = "Import an OCI archive, an OCI layout or a docker-save archive.",
            mixinStandardHelpOptions = true)
    int importImage(@Mixin SocketOption socket,
            @Parameters(paramLabel = "PATH", description = "The archive or directory.") Path path,
            @Option(names = "--name", paramLabel = "NAME", description = "A name for the image.") Optional<String> name) {
        try (Connection berth = socket.connect()) {
            var request = ImportImageRequest.newBuilder().setPath(path.toAbsolutePath().toString())
                    .setName(name.orElse("")).build();
            berth.berth().importImage(request).getImagesList().forEach(image ->
                    out().println(image.getId() + " " + String.join(" ", image.getNamesList())));
        }
        out().flush();
        return 0;
    }

    @Command(name = "remove", description = "Remove an image with all its names.", mixinStandardHelpOptions = true)
    int remove(@Mixin SocketOption socket,
            @Parameters(paramLabel = "REFERENCE", description = "A name or an id.") String reference) {
        try (Connection berth = socket.connect()) {
            berth.images().removeImage(RemoveImageRequest.newBuilder().setImage(named(reference)).build());
        }
        return 0;
    }

    private static ImageSpec named(String reference) {
        return ImageSpec.newBuilder().setImage(reference).build();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
