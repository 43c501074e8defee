package io.berth.cli;

import io.berth.api.v1.ImportImageRequest;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.PullImageRequest;
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

/** {@code berth image …}: images of a running daemon. */
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

    @Command(name = "pull", description = "Pull an image.", mixinStandardHelpOptions = true)
    int pull(@Mixin SocketOption socket,
            @Parameters(paramLabel = "REFERENCE", description = "Such as docker.io/library/busybox:1.36.") String reference) {
        try (Connection berth = socket.connect()) {
            out().println(berth.images().pullImage(PullImageRequest.newBuilder().setImage(named(reference)).build())
                    .getImageRef());
        }
        out().flush();
        return 0;
    }

    @Command(name = "list", description = "List images.", mixinStandardHelpOptions = true)
    int list(@Mixin SocketOption socket) {
        try (Connection berth = socket.connect()) {
            out().printf("%-14s %10s  %s%n", "IMAGE ID", "SIZE", "NAMES");
            for (Image image : berth.images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList()) {
                out().printf("%-14s %8.1fMB  %s%n", image.getId().replace("sha256:", "").substring(0, 12),
                        image.getSize() / 1e6, String.join(" ", image.getRepoTagsCount() > 0
                                ? image.getRepoTagsList() : image.getRepoDigestsList()));
            }
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
