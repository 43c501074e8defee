package io.berth.server.doctor;

import io.berth.linux.FilesystemSpace;
import io.berth.server.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The file system under Berth's root: its kind, its free space and its free inodes. */
final class ExamineDisk implements Examination {

    private static final String AREA = "disk";
    private static final Set<String> NO_UPPER = Set.of("nfs", "nfs4", "overlay", "cifs", "9p", "fuse", "vfat", "squashfs");
    private static final int FULL_PERCENT = 90;

    @Override
    public List<Finding> look(Host host, Config config) {
        Path root = config.root();
        Path existing = host.path(root);
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        List<Finding> found = new ArrayList<>();
        try {
            String type = Files.getFileStore(existing).type();
            found.add(NO_UPPER.contains(type) ? Finding.problem(AREA, root + " is on " + type
                    + ", which overlayfs does not take as upper directory", "put root on ext4, xfs or btrfs")
                    : Finding.fine(AREA, root + " is on " + type));
        } catch (IOException e) {
            found.add(Finding.warning(AREA, "the kind of file system of " + root + " cannot be read", "look at: findmnt " + root));
        }
        FilesystemSpace space = FilesystemSpace.of(existing);
        found.add(used(root + ": " + gigabytes(space.availableBytes()) + " of " + gigabytes(space.totalBytes()) + " free",
                space.totalBytes() - space.availableBytes(), space.totalBytes(),
                "remove images that nobody uses (berth image prune), or make room: the kubelet evicts pods when the disk is full"));
        if (space.inodes() > 0) {
            found.add(used(root + ": " + space.freeInodes() + " of " + space.inodes() + " inodes free",
                    space.inodes() - space.freeInodes(), space.inodes(),
                    "remove images that nobody uses, or make the file system with more inodes"));
        }
        return found;
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1fGB", bytes / 1e9);
    }

    private static Finding used(String what, long used, long total, String cure) {
        return total > 0 && 100.0 * used / total > FULL_PERCENT ? Finding.warning(AREA, what, cure) : Finding.fine(AREA, what);
    }
}
