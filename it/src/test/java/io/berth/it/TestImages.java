package io.berth.it;

import io.berth.api.v1.ImportImageRequest;
import io.berth.cli.scratch.BusyboxImage;
import java.nio.file.Path;

/** Images made on the spot, so that tests need no network. */
final class TestImages {

    private TestImages() {}

    /** Imports a busybox image under {@link BusyboxImage#NAME}; its id. */
    static String busybox(TestDaemon daemon) {
        Path layout = daemon.node().directory().resolve("busybox-image");
        BusyboxImage.write(layout, "a page for tests\n");
        return daemon.connection().berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build())
                .getImages(0).getId();
    }
}
