package io.berth.snapshot;

import io.berth.linux.Inodes;
import java.util.List;
import java.util.Optional;

/**
 * Turns the marks that an archive has for what a layer deletes into those of overlayfs: a character device 0/0 for a
 * name, an attribute for all that is below a directory. Source: the kernel's
 * {@code Documentation/filesystems/overlayfs.rst}.
 */
final class OverlayWhiteouts implements Whiteouts {

    static final String OPAQUE = "trusted.overlay.opaque";

    private final LayerTree tree;
    private final SpilledRecords implied;

    /** @param implied takes the paths of directories that the archive leaves out; stays the caller's */
    OverlayWhiteouts(LayerTree tree, SpilledRecords implied) {
        this.tree = tree;
        this.implied = implied;
    }

    @Override
    public int deleted(LayerTree.Place place, byte[] name, byte[] path) {
        // A whiteout speaks of the layers below; what this layer itself has under the name stays.
        Optional<Inodes.Status> there = Inodes.status(place.directory(), name);
        if (there.isEmpty()) {
            Inodes.makeNode(place.directory(), name, Inodes.CHARACTER_DEVICE, 0, 0);
            return 1;
        }
        if (there.get().isDirectory()) {
            Inodes.setAttribute(place.directory(), name, OPAQUE, new byte[] {'y'});
        }
        return 0;
    }

    @Override
    public void opaque(LayerTree.Place place, byte[] path) {
        List<byte[]> parts = tree.parts(path);
        if (parts.size() == 1) {
            // Overlayfs takes no such mark on the root of a layer.
            return;
        }
        LayerTree.Place folder = tree.place(LayerTree.joined(parts.subList(0, parts.size() - 1))).orElseThrow();
        Inodes.Status status = Inodes.status(folder.directory(), folder.name()).orElseThrow();
        if (!status.isDirectory()) {
            throw LayerTree.bad(path, "an opaque mark behind a symbolic link");
        }
        Inodes.setAttribute(folder.directory(), folder.name(), OPAQUE, new byte[] {'y'});
    }

    @Override
    public boolean isDeletion(TarEntry entry) {
        // It is made as the device that it is.
        return false;
    }

    @Override
    public boolean givesWay(LayerTree.Place place, Inodes.Status there, boolean behindLink) {
        return there.isWhiteout();
    }

    @Override
    public void made(LayerTree.Place place) {
        // The layer's own tree says what it has made.
    }

    @Override
    public void madeDirectory(LayerTree.Place place, Optional<Inodes.Status> before) {
        if (!implied.isEmpty() && before.filter(Inodes.Status::isDirectory).isPresent()) {
            Inodes.removeAttribute(place.directory(), place.name(), AdoptDirectories.IMPLIED);
        }
        hideBelow(place, before);
    }

    @Override
    public void madeParent(LayerTree.Place place, Optional<Inodes.Status> before, byte[] path) {
        if (!hideBelow(place, before)) {
            // On the directory itself, since it may be named in several ways when there are symbolic links.
            Inodes.setAttribute(place.directory(), place.name(), AdoptDirectories.IMPLIED, new byte[] {'y'});
            implied.add(path);
        }
    }

    // Deleted and made anew in one layer: what was below must not shine through.
    private static boolean hideBelow(LayerTree.Place place, Optional<Inodes.Status> before) {
        boolean anew = before.filter(Inodes.Status::isWhiteout).isPresent();
        if (anew) {
            Inodes.setAttribute(place.directory(), place.name(), OPAQUE, new byte[] {'y'});
        }
        return anew;
    }
}
