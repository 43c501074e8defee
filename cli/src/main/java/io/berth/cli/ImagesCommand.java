package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Table;
import io.berth.cli.output.Words;
import io.berth.cri.v1.Image;
import io.berth.cri.v1.ImageFilter;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.ListImagesResponse;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth images}: the images of this node. */
@Command(name = "images", description = "List images.", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth images", "  berth images docker.io/library/busybox", "  berth images -o json"})
final class ImagesCommand extends DaemonCommand {

    @Mixin
    private OutputOption output;

    @Option(names = {"-q", "--quiet"}, description = "Only ids.")
    private boolean quiet;

    @Parameters(paramLabel = "REFERENCE", arity = "0..1", description = "Only the image with this name or id.")
    private Optional<String> reference = Optional.empty();

    @Override
    int run(Connection berth) throws InterruptedException {
        if (quiet) {
            list(berth).getImagesList().forEach(image -> out().println(image.getId()));
            return 0;
        }
        return output.show(out(), () -> {
            ListImagesResponse images = list(berth);
            return Listing.of(images, () -> table(images.getImagesList()));
        });
    }

    private ListImagesResponse list(Connection berth) {
        ListImagesRequest.Builder request = ListImagesRequest.newBuilder();
        reference.ifPresent(name -> request.setFilter(ImageFilter.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(name))));
        return berth.images().listImages(request.build());
    }

    private Table table(List<Image> images) {
        Table table = output.isWide() ? new Table("IMAGE ID", ">SIZE", "PINNED", "USER", "NAMES AND DIGESTS")
                : new Table("IMAGE ID", ">SIZE", "PINNED", "NAME");
        for (Image image : images) {
            List<String> names = image.getRepoTagsCount() > 0 ? image.getRepoTagsList() : image.getRepoDigestsList();
            if (output.isWide()) {
                table.row(image.getId(), Words.bytes(image.getSize()), image.getPinned() ? "yes" : "no", user(image),
                        String.join(" ", image.getRepoTagsList()) + " " + String.join(" ", image.getRepoDigestsList()));
            } else {
                table.row(Words.shortId(image.getId()), Words.bytes(image.getSize()), image.getPinned() ? "yes" : "no",
                        names.isEmpty() ? "-" : String.join(" ", names));
            }
        }
        return table;
    }

    private static String user(Image image) {
        return image.hasUid() ? Long.toString(image.getUid().getValue())
                : image.getUsername().isEmpty() ? "-" : image.getUsername();
    }
}
