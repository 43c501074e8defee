package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Removes directories that the bench made. */
final class BenchFiles {

    private BenchFiles() {}

    /** Removes a tree, never through a mount. Fine when there is none. */
    static void remove(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        if (!Mounts.at(directory).isEmpty()) {
            throw RuntimeFault.precondition("remove " + directory + ": still mounted: " + Mounts.at(directory));
        }
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }
}
