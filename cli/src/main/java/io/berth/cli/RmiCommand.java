package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.RemoveImageRequest;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code berth rmi}: removes images. */
@Command(name = "rmi", description = "Remove images, each with all its names.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = "  berth rmi docker.io/library/busybox:1.36")
final class RmiCommand extends DaemonCommand {

    @Parameters(paramLabel = "REFERENCE", arity = "1..*", description = "A name or an id.")
    private List<String> references;

    @Override
    int run(Connection berth) {
        for (String reference : references) {
            ImageSpec image = ImageSpec.newBuilder().setImage(reference).build();
            // The protocol calls the removal of what is not there a success; a person has mistyped.
            if (!berth.images().imageStatus(ImageStatusRequest.newBuilder().setImage(image).build()).hasImage()) {
                throw new DaemonFault(ExitCode.NOT_FOUND, "remove image " + reference
                        + ": there is none: \"berth images\" lists all");
            }
            berth.images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
            out().println(reference);
        }
        return 0;
    }
}
