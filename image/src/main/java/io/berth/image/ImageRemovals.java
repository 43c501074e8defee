package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What images had whose removal has begun. Without it, a removal that is cut after the record would leave blobs and layers
 * that nobody can name any more. A file for each beside the records; the caller orders the calls.
 */
final class ImageRemovals {

    private static final Logger LOG = LoggerFactory.getLogger(ImageRemovals.class);
    private static final String SUFFIX = ".removed";

    private final Path directory;

    ImageRemovals(Path directory) {
        this.directory = directory;
    }

    /** Removes those of the blobs and layers that no image needs. */
    interface Collector {
        void collect(List<Digest> blobs, List<Digest> chains);
    }

    /** Keeps what {@code image} has, before its record goes. */
    void intend(Image image) {
        Path file = directory.resolve(image.id().hex() + SUFFIX);
        List<String> lines = Stream.concat(image.blobs().stream().map(blob -> "blob " + blob),
                image.chainIds().stream().map(chain -> "chain " + chain)).toList();
        try {
            Path beside = directory.resolve("." + file.getFileName() + ".new");
            Files.write(beside, lines);
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw ContentStore.fault("remove image", image.id(), e);
        }
    }

    /** Ends every removal that has begun. */
    void finish(Collector collector) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
                try {
                    collector.collect(digests(file, "blob "), digests(file, "chain "));
                    Files.delete(file);
                } catch (RuntimeFault later) {
                    if (later.kind() != RuntimeFault.Kind.UNAVAILABLE) {
                        throw later;
                    }
                    LOG.atWarn().addKeyValue("file", file).addKeyValue("reason", later.getMessage())
                            .log("layers of a removed image stay for now: they go when the snapshotter answers");
                }
            }
        } catch (IOException e) {
            throw ContentStore.fault("finish the removal of images in", directory, e);
        }
    }

    private static List<Digest> digests(Path file, String kind) throws IOException {
        List<Digest> found = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(kind)) {
                try {
                    found.add(Digest.parse(line.substring(kind.length())));
                } catch (RuntimeFault damaged) {
                    LOG.atWarn().addKeyValue("file", file).addKeyValue("line", line).log("line left out");
                }
            }
        }
        return found;
    }
}
