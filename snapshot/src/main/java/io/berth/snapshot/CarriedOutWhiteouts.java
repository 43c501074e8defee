package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RawName;
import io.berth.linux.RootedPath;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Deletes what the marks of a layer name from a tree that has the files of the layers below. What the layer itself has
 * made stays, and so do the directories that it has something in. All is reached by bare names in open directories;
 * symbolic links are removed, not followed. A directory that is deeper than the limit for paths is refused.
 */
final class CarriedOutWhiteouts implements Whiteouts {

    private final LayerTree tree;
    private final int depthLimit;
    private final MadeByLayer made = new MadeByLayer(MadeByLayer.LIMIT);
    private boolean pathsChanged;

    CarriedOutWhiteouts(LayerTree tree, int depthLimit) {
        this.tree = tree;
        this.depthLimit = depthLimit;
    }

    @Override
    public int deleted(LayerTree.Place place, byte[] name, byte[] path) {
        if (mayHoldOlder(place)) {
            stays(place.directory(), place.inode(), name, 0, path);
            forgetPaths(place);
        }
        return 0;
    }

    @Override
    public void opaque(LayerTree.Place place, byte[] path) {
        if (mayHoldOlder(place)) {
            anyStays(place.directory(), place.inode(), 0, path);
            forgetPaths(place);
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

    private void forgetPaths(LayerTree.Place place) {
        if (pathsChanged) {
            tree.forgetPathsExcept(place.directory());
            pathsChanged = false;
        }
    }

    /** Removes what is not the layer's own under the name; whether something is left there. */
    private boolean stays(Fd directory, long inode, byte[] name, int depth, byte[] path) {
        Optional<Inodes.Status> there = Inodes.status(directory, name);
        if (there.isEmpty()) {
            return false;
        }
        if (!there.get().isDirectory()) {
            boolean own = made.has(inode, name);
            if (!own) {
                Inodes.removeFile(directory, name);
                pathsChanged |= there.get().type() == Inodes.SYMLINK;
            }
            return own;
        }
        boolean any;
        try (Fd opened = RootedPath.openDirectory(directory, name, RootedPath.Escape.IS_REFUSED)) {
            long found = Inodes.status(opened).inode();
            any = anyStays(opened, found, depth + 1, path) | made.hasDirectory(found);
        }
        if (!any) {
            Inodes.removeDirectory(directory, name);
            pathsChanged = true;
        }
        return any;
    }

    private boolean anyStays(Fd directory, long inode, int depth, byte[] path) {
        if (made.isNew(inode)) {
            return true;
        }
        if (depth > depthLimit) {
            throw LayerTree.bad(path, "it deletes a tree that is deeper than " + depthLimit + " directories");
        }
        boolean any = false;
        // While it changes: names that are removed have been listed, and a list of all might not fit into memory.
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory.procPath())) {
            for (Path name : stream) {
                any |= stays(directory, inode, RawName.of(name), depth, path);
            }
            return any;
        } catch (IOException e) {
            throw RuntimeFault.internal("delete what a layer's whiteout names: " + RuntimeFault.reason(e), e);
        }
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
