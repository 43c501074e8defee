package io.berth.cli;

import io.berth.api.v1.ExplainImageRequest;
import io.berth.api.v1.ExplainedEndpoint;
import io.berth.api.v1.ExportImageRequest;
import io.berth.api.v1.ImageExplanation;
import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.PruneImagesRequest;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.RemoveImageRequest;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth image …}: images of a running daemon. Pull and list are added by {@link Main}. */
@Command(name = "image", description = "Import, pull, list, explain, verify, export, prune and remove images.",
        mixinStandardHelpOptions = true, synopsisSubcommandLabel = "COMMAND", footerHeading = "%nExamples:%n",
        footer = {"  berth image explain nginx:1.27", "  berth image prune --dry-run"})
final class ImageCommand {

    @Spec
    private CommandSpec spec;

    @Command(name = "import", description = "Import an OCI archive, an OCI layout or a docker-save archive.",
            mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = {"  berth image import app.tar", "  berth image import --name example.com/app:1 layout/"})
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

    @Command(name = "remove", description = "Remove an image with all its names.",
            mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = "  berth image remove docker.io/library/busybox:1.36")
    int remove(@Mixin SocketOption socket,
            @Parameters(paramLabel = "REFERENCE", description = "A name or an id.") String reference) {
        try (Connection berth = socket.connect()) {
            berth.images().removeImage(RemoveImageRequest.newBuilder().setImage(named(reference)).build());
        }
        return 0;
    }

    @Command(name = "explain", description = "Show which registries and mirrors a pull would ask, in which order, with whose"
            + " credentials, and why. Nothing is asked.", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = "  berth image explain nginx:1.27")
    int explain(@Mixin SocketOption socket,
            @Parameters(paramLabel = "REFERENCE", description = "As it would be pulled.") String reference) {
        try (Connection berth = socket.connect()) {
            var answer = berth.berth().explainImage(ExplainImageRequest.newBuilder().setImage(reference).build());
            for (ImageExplanation meaning : answer.getMeaningsList()) {
                out().println(meaning.getReference());
                out().println("  trust: " + meaning.getTrust());
                int number = 1;
                for (ExplainedEndpoint asked : meaning.getEndpointsList()) {
                    String credentials = asked.getCredentials().isEmpty() ? "none" : asked.getCredentials();
                    out().printf("  %d. %s%n     asked to %s; %s; credentials: %s%n     because it is the %s%n", number++,
                            asked.getAddress(), asked.getUses(), asked.getConnection(), credentials,
                            asked.getReason().replaceFirst("^the ", ""));
                }
            }
        }
        out().flush();
        return 0;
    }

    @Command(name = "verify", description = "Read images on the disk and say what is damaged; exit code 1 when something is.",
            mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = {"  berth image verify", "  berth image verify --repair example.com/app:1"})
    int verify(@Mixin SocketOption socket,
            @Option(names = "--repair", description = "Pull damaged images again.") boolean repair,
            @Parameters(paramLabel = "IMAGE", arity = "0..*", description = "Names or ids; all images without.")
            List<String> images) {
        boolean damaged = false;
        try (Connection berth = socket.connect()) {
            var request = VerifyImagesRequest.newBuilder().addAllImages(images == null ? List.of() : images).setRepair(repair);
            var answers = berth.berth().verifyImages(request.build());
            while (answers.hasNext()) {
                VerifiedImage image = answers.next();
                out().println((image.getFindingsCount() == 0 ? "whole    " : "damaged  ") + image.getId() + " "
                        + String.join(" ", image.getNamesList()));
                image.getFindingsList().forEach(finding -> out().println("  " + finding.getObject() + ": "
                        + finding.getProblem() + (repair ? "" : ": " + finding.getCure())));
                if (!image.getRepair().isEmpty()) {
                    out().println("  " + image.getRepair());
                }
                out().flush();
                damaged |= image.getFindingsCount() > 0 && !image.getRepair().endsWith("all is well");
            }
        }
        return damaged ? 1 : 0;
    }

    @Command(name = "export", description = "Write an image to an archive that berth, skopeo and docker load read.",
            mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = "  berth image export example.com/app:1 app.tar")
    int export(@Mixin SocketOption socket,
            @Parameters(paramLabel = "IMAGE", description = "A name or an id.") String image,
            @Parameters(paramLabel = "FILE", description = "The archive; one that is there is replaced.") Path file) {
        try (Connection berth = socket.connect()) {
            var answer = berth.berth().exportImage(ExportImageRequest.newBuilder().setImage(image)
                    .setPath(file.toAbsolutePath().toString()).build());
            out().println(file + " " + answer.getSizeBytes() + " bytes");
        }
        out().flush();
        return 0;
    }

    @Command(name = "prune", description = "Remove images that have lost their tag and that no container uses.",
            mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
            footer = {"  berth image prune --dry-run", "  berth image prune --all"})
    int prune(@Mixin SocketOption socket,
            @Option(names = "--all", description = "Also images with a tag.") boolean all,
            @Option(names = "--dry-run", description = "Only say what would be removed.") boolean dryRun) {
        try (Connection berth = socket.connect()) {
            berth.berth().pruneImages(PruneImagesRequest.newBuilder().setAll(all).setDryRun(dryRun).build()).getImagesList()
                    .forEach(image -> out().println((dryRun ? "would remove " : "removed ") + image.getId() + " "
                            + String.join(" ", image.getNamesList())));
        }
        out().flush();
        return 0;
    }

    private static ImageSpec named(String reference) {
        return ImageSpec.newBuilder().setImage(reference).build();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
