package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A directory of Berth's own with all that is in it; nobody else writes there. Stateless, thread-safe. */
public final class DirectoryTree {

    private DirectoryTree() {}

    /** Unmounts what is mounted below {@code top}, the last mount first, and deletes the tree. Idempotent. */
    public static void remove(Path top) {
        if (!Files.exists(top)) {
            return;
        }
        Mounts.at(top).forEach(Mounts::unmount);
        try (Stream<Path> all = Files.walk(top)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + top + ": " + RuntimeFault.reason(e), e);
        }
    }
}
