package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RandomId;
import io.berth.linux.Fd;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Unpacks a layer into a snapshot that was begun for it. Where that is an overlay, the layer goes straight into its upper
 * directory, with overlayfs's marks for what it deletes. Otherwise the snapshot is mounted for that time, and what the layer
 * deletes is deleted. Used once, by one platform thread.
 */
final class UnpackToSnapshot {

    private final List<SnapshotMount> mounts;
    private final Path scratch;
    private final UnpackLimits limits;

    /** @param scratch a directory for mount points */
    UnpackToSnapshot(List<SnapshotMount> mounts, Path scratch, UnpackLimits limits) {
        this.mounts = mounts;
        this.scratch = scratch;
        this.limits = limits;
    }

    void unpack(InputStream compressed, Digest diffId) throws IOException {
        if (mounts.size() == 1 && mounts.getFirst().upper().isPresent()) {
            intoUpper(mounts.getFirst(), compressed, diffId);
            return;
        }
        Path place = Files.createDirectories(scratch.resolve("unpack-" + RandomId.hex(8)));
        try {
            new MountSnapshot(mounts, Optional.empty()).at(place);
            UnpackLayer.inPlace(place, limits, compressed, diffId);
        } finally {
            Mounts.at(place).forEach(Mounts::unmount);
            Files.deleteIfExists(place);
        }
    }

    private void intoUpper(SnapshotMount overlay, InputStream compressed, Digest diffId) {
        Path upper = overlay.upper().orElseThrow();
        // The directory beside the upper one is the snapshotter's own: what has no name there is no concern of it.
        Path beside = upper.getParent();
        try (Fd own = Fd.openDirectory(upper); SpilledRecords implied = new SpilledRecords(beside);
                LayerTree tree = new LayerTree(Fd.openDirectory(upper), limits.pathDepth(), FreshInode.in(own), implied)) {
            UnpackLayer layer = new UnpackLayer(tree, limits, beside);
            layer.unpack(compressed, diffId);
            AdoptDirectories.in(upper, overlay.lowers(), !layer.rootIsExplicit(), implied);
        }
    }
}
