package io.berth.snapshot;

import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Layers as a user namespace sees them, for as long as an overlay is being mounted: overlayfs itself cannot be mounted with
 * mapped owners, but it keeps a private copy of mounts that are. Layers stay shared between pods with different maps.
 */
record MappedLayers(List<Path> paths, List<Path> mounts) implements AutoCloseable {

    static MappedLayers of(List<Path> layers, Optional<MappedOwners> owners, Path folder) throws IOException {
        if (owners.isEmpty()) {
            return new MappedLayers(layers, List.of());
        }
        List<Path> mounts = new ArrayList<>();
        try {
            for (Path layer : layers) {
                Path target = Files.createDirectories(folder.resolve(Integer.toString(mounts.size())));
                Mounts.bindMapped(layer, target, owners.get().userNamespace());
                mounts.add(target);
            }
            return new MappedLayers(mounts, mounts);
        } catch (RuntimeException failure) {
            mounts.forEach(Mounts::unmount);
            throw failure;
        }
    }

    @Override
    public void close() {
        mounts.forEach(Mounts::unmount);
    }
}
