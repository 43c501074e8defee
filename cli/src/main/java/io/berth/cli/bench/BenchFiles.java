package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Directories of the bench. */
final class BenchFiles {

    private static final long TMPFS_BYTES = 512L << 20;

    private BenchFiles() {}

    /** Makes {@code directory} a tmpfs, as /run is, where the state of a runtime belongs. */
    static void tmpfs(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + directory + ": " + RuntimeFault.reason(e), e);
        }
        Mounts.tmpfs(directory, TMPFS_BYTES, 0755, 0, 0, 0);
    }

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

    /** Removes the empty directories of a tree and nothing else: somebody may have begun to use it meanwhile. */
    static void removeEmpty(Path top) {
        if (!Files.exists(top)) {
            return;
        }
        try (Stream<Path> all = Files.find(top, 8, (path, attributes) -> attributes.isDirectory())) {
            all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException | java.io.UncheckedIOException changing) {
            // Then it is in use.
        }
    }
}
