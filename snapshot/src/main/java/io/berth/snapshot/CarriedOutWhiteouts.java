package io.berth.snapshot;

import io.berth.linux.Inodes;
import java.util.Optional;

/**
 * Deletes what the marks of a layer name from a tree that has the files of the layers below. What the layer itself has
 * made stays, and so do the directories that it has something in. All is reached by bare names in open directories;
 * symbolic links are removed, not followed. A directory that is deeper than the limit for paths is refused.
 */
final class CarriedOutWhiteouts implements Whiteouts {

    private final LayerTree tree;
    private final MadeByLayer made = new MadeByLayer(MadeByLayer.LIMIT);
    private final RemoveOlder remove;

    CarriedOutWhiteouts(LayerTree tree, int depthLimit) {
        this.tree = tree;
        this.remove = new RemoveOlder(made, depthLimit);
    }

    @Override
    public int deleted(LayerTree.Place place, byte[] name, byte[] path) {
        if (mayHoldOlder(place) && remove.name(place, name, path)) {
            tree.forgetPathsExcept(place.directory());
        }
        return 0;
    }

    @Override
    public void opaque(LayerTree.Place place, byte[] path) {
        if (mayHoldOlder(place) && remove.all(place, path)) {
            tree.forgetPathsExcept(place.directory());
        }
    }

    // A directory with a mark in it is one that the layer has, also when nothing else is in it.
    private boolean mayHoldOlder(LayerTree.Place place) {
        boolean older = !made.isNew(place.inode());
        if (older) {
            made.addDirectory(place.inode());
        }
        return older;
    }

    @Override
    public boolean isDeletion(TarEntry entry) {
        return entry.type() == TarReader.CHARACTER_DEVICE && entry.deviceMajor() == 0 && entry.deviceMinor() == 0;
    }

    @Override
    public boolean givesWay(LayerTree.Place place, Inodes.Status there, boolean behindLink) {
        // Behind a link it is another name that would be lost.
        return !behindLink && !made.has(place.inode(), place.name());
    }

    @Override
    public void close() {
        made.close();
    }

    @Override
    public void made(LayerTree.Place place) {
        made.add(place.inode(), place.name());
    }

    @Override
    public void madeDirectory(LayerTree.Place place, Optional<Inodes.Status> before) {
        long inode = Inodes.status(place.directory(), place.name()).orElseThrow().inode();
        if (before.filter(Inodes.Status::isDirectory).isPresent()) {
            made.addDirectory(inode);
        } else {
            made.addNew(inode);
        }
    }

    @Override
    public void madeParent(LayerTree.Place place, Optional<Inodes.Status> before, byte[] path) {
        // It takes nothing from the layers below: their directories are there themselves.
        madeDirectory(place, before);
    }
}
