package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ImportImageRequest;
import io.berth.cli.scratch.BusyboxImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A busybox image with further layers, as umoci makes them: one that replaces /data/changed, adds /data/added and deletes
 * /data/deleted and the tree /data/gone, and one that makes /data/other opaque.
 */
final class StackedImage {

    static final String NAME = "berth.local/stacked:1";

    /** Run in it, writes what its layers come to; fails where they do not. */
    static final String PROOF = "cd /data && cat changed added other/* && ls -A . other && ! test -e deleted && ! test -e gone";

    static final String PROVEN = "new\nadded\nlast\n.:\nadded\nchanged\nother\n\nother:\nlast\n";

    private StackedImage() {}

    /** Writes its OCI layout into {@code directory}, which is made. */
    static void write(Path directory) throws IOException, InterruptedException {
        Path lowest = directory.resolveSibling(directory.getFileName() + "-tree");
        BusyboxImage.write(directory, NAME, List.of("sh"), Map.of());
        Files.createDirectories(lowest);
        Path script = Files.writeString(lowest.resolve("make.sh"), """
                set -eu
                cd "$1"
                sed 's/"io.containerd.image.name":"[^"]*"/"org.opencontainers.image.ref.name":"s"/' ../"$2"/index.json > index.json
                cp index.json ../"$2"/index.json
                mkdir -p one/gone/deep one/other two
                echo old > one/changed; echo x > one/deleted; echo x > one/gone/deep/file; echo first > one/other/first
                echo new > two/changed; echo added > two/added
                mkdir three; echo last > three/last
                umoci insert --image ../"$2":s one /data
                umoci insert --image ../"$2":s two/changed /data/changed
                umoci insert --image ../"$2":s two/added /data/added
                umoci insert --image ../"$2":s --whiteout /data/deleted
                umoci insert --image ../"$2":s --whiteout /data/gone
                umoci insert --image ../"$2":s --opaque three /data/other
                sed -i 's#"org.opencontainers.image.ref.name":"s"#"io.containerd.image.name":"%s"#' ../"$2"/index.json
                """.formatted(NAME));
        Process made = new ProcessBuilder("sh", script.toString(), lowest.toString(), directory.getFileName().toString())
                .redirectErrorStream(true).redirectOutput(lowest.resolve("log").toFile()).start();
        assertTrue(made.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, made.exitValue(), Files.readString(lowest.resolve("log")));
    }

    /** Imports its layout into the daemon; its id. */
    static String importInto(TestDaemon daemon, Path layout) {
        return daemon.connection().berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build())
                .getImages(0).getId();
    }
}
