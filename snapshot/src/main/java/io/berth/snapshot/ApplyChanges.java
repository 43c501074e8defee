package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Writes {@link Changes} into the upper directory of a root filesystem before that is mounted, by the same rules as a layer
 * is unpacked: nothing leads out of the directory, whatever links are in it. Used once, by one platform thread.
 */
final class ApplyChanges {

    private final Path upper;
    private final List<Path> lowers;
    private final UnpackLimits limits;

    /** @param lowers the layers below, the nearest first */
    ApplyChanges(Path upper, List<Path> lowers, UnpackLimits limits) {
        this.upper = upper;
        this.lowers = lowers;
        this.limits = limits;
    }

    void apply(Changes changes) throws IOException {
        FreshInode fresh;
        try (Fd beside = Fd.openDirectory(upper.getParent())) {
            fresh = FreshInode.in(beside);
        }
        Path scratch = upper.getParent();
        try (SpilledRecords implied = new SpilledRecords(scratch);
                LayerTree tree = new LayerTree(Fd.openDirectory(upper), limits.pathDepth(), fresh, implied)) {
            if (changes.layer().isPresent()) {
                try (InputStream layer = Files.newInputStream(changes.layer().get())) {
                    new UnpackLayer(tree, limits, scratch).unpack(layer);
                }
            }
            changes.deleted().forEach(path -> delete(tree, path));
            if (changes.rootMode().isPresent()) {
                try (Fd root = Fd.openDirectory(upper)) {
                    Inodes.changeMode(root, changes.rootMode().getAsInt() & 07777);
                }
            }
            adopt(implied);
        }
    }

    private static void delete(LayerTree tree, String path) {
        byte[] raw = path.getBytes(StandardCharsets.UTF_8);
        LayerTree.Place place = tree.place(raw).orElseThrow(() -> LayerTree.bad(raw, "the root cannot be deleted"));
        Inodes.checkName(place.name());
        Optional<Inodes.Status> there = Inodes.status(place.directory(), place.name());
        if (there.filter(Inodes.Status::isWhiteout).isPresent()) {
            return;
        }
        there.ifPresent(old -> {
            if (old.isDirectory()) {
                RemoveTree.in(place.directory(), place.name());
            } else {
                Inodes.removeFile(place.directory(), place.name());
            }
            tree.forgetPathsExcept(place.directory());
        });
        Inodes.makeNode(place.directory(), place.name(), Inodes.CHARACTER_DEVICE, 0, 0);
    }

    private void adopt(SpilledRecords implied) {
        try {
            AdoptDirectories.in(upper, lowers, false, implied);
        } catch (RuntimeFault e) {
            throw RuntimeFault.during("apply the changes of a container", e);
        }
    }
}
