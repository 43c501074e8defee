package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What an OCI runtime keeps on the disk of its containers, as far as Berth knows that without it. Stateless.
 *
 * @param path the runtime's {@code --root}
 */
record RuntimeRoot(Path path) {

    private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");

    /** The directory that runc and crun keep of a container. */
    Path of(String id) {
        return path.resolve(id);
    }

    /** Containers that the runtime keeps something of. */
    List<String> containers() {
        // Their temporary files begin with a dot.
        try (Stream<Path> entries = Files.isDirectory(path) ? Files.list(path) : Stream.empty()) {
            return entries.map(entry -> entry.getFileName().toString()).filter(name -> !name.startsWith("."))
                    // runsc keeps several files of each, whose names only contain the id.
                    .map(name -> ID.matcher(name).results().map(MatchResult::group).findFirst().orElse(name)).distinct().toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    /**
     * Unmounts what runc mounts in its directory of a container while it restores that, and left there when it was killed:
     * whoever empties the directory would empty the container's root and its volumes.
     */
    void releaseRestore(String id) {
        Path mounted = of(id).resolve("criu-root");
        if (Files.exists(mounted)) {
            Mounts.at(mounted).forEach(Mounts::unmount);
        }
    }

    /** Removes the directory of a container; false when something in it cannot be removed. */
    boolean remove(String id) {
        try (Stream<Path> all = Files.walk(of(id))) {
            for (Path each : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(each);
            }
            return true;
        } catch (NoSuchFileException gone) {
            return true;
        } catch (IOException | UncheckedIOException busy) {
            return false;
        }
    }
}
