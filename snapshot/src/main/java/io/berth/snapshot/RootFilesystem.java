package io.berth.snapshot;

import io.berth.base.Digest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A mounted stack of layers. A value: {@link Snapshotter#remove} unmounts it.
 *
 * @param chain the layers, the lowest first
 * @param upper where a container's changes go, the mount point itself where only the snapshotter knows; empty for a read-only
 *     view
 */
public record RootFilesystem(String key, List<Digest> chain, Path mountPoint, Optional<Path> upper) {

    public RootFilesystem {
        chain = List.copyOf(chain);
    }

    public boolean isReadOnly() {
        return upper.isEmpty();
    }
}
