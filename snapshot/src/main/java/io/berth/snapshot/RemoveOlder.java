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
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Removes from a tree what a layer has not made itself. Without recursion and without a list of a directory's names:
 * the tree may be deeper than the stack of a thread, and a directory larger than memory. Used by one thread.
 */
final class RemoveOlder {

    private final MadeByLayer made;
    private final int depthLimit;
    private boolean pathsChanged;

    /**
     * @param made stays the caller's
     * @param depthLimit of directories below the place; a deeper tree is refused
     */
    RemoveOlder(MadeByLayer made, int depthLimit) {
        this.made = made;
        this.depthLimit = depthLimit;
    }

    /**
     * A directory that is being looked through, in which removed names are not listed again.
     *
     * @param above empty for the first one, whose descriptor is the caller's
     * @param stays whether something of the layer is in it
     */
    private record Level(Optional<Level> above, Fd directory, long inode, byte[] name, Iterator<byte[]> left,
            Optional<DirectoryStream<Path>> stream, boolean[] stays) implements AutoCloseable {

        static Level only(LayerTree.Place place, byte[] name) {
            return new Level(Optional.empty(), place.directory(), place.inode(), new byte[0], List.of(name).iterator(),
                    Optional.empty(), new boolean[1]);
        }

        static Level all(Optional<Level> above, Fd directory, long inode, byte[] name) {
            DirectoryStream<Path> stream;
            try {
                stream = Files.newDirectoryStream(directory.procPath());
            } catch (IOException e) {
                throw failed(e);
            }
            Iterator<Path> paths = stream.iterator();
            return new Level(above, directory, inode, name, new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return paths.hasNext();
                }

                @Override
                public byte[] next() {
                    return RawName.of(paths.next());
                }
            }, Optional.of(stream), new boolean[1]);
        }

        void stay() {
            stays[0] = true;
        }

        @Override
        public void close() {
            try {
                if (stream.isPresent()) {
                    stream.get().close();
                }
            } catch (IOException e) {
                throw failed(e);
            } finally {
                above.ifPresent(a -> directory.close());
            }
        }

        private static RuntimeFault failed(IOException e) {
            return RuntimeFault.internal("delete what a layer's whiteout names: " + RuntimeFault.reason(e), e);
        }
    }

    /**
     * Removes one name of the place.
     *
     * @param path of the mark, for messages
     * @return whether directories or symbolic links are gone, so that paths may mean something else now
     */
    boolean name(LayerTree.Place place, byte[] name, byte[] path) {
        return from(Level.only(place, name), path);
    }

    /** As {@link #name}, all names of the place. */
    boolean all(LayerTree.Place place, byte[] path) {
        return from(Level.all(Optional.empty(), place.directory(), place.inode(), new byte[0]), path);
    }

    private boolean from(Level top, byte[] path) {
        pathsChanged = false;
        Deque<Level> levels = new ArrayDeque<>(List.of(top));
        try {
            while (!levels.isEmpty()) {
                Level level = levels.peek();
                if (level.left.hasNext()) {
                    remove(level, level.left.next()).ifPresent(levels::push);
                    if (levels.size() > depthLimit + 1) {
                        throw LayerTree.bad(path,
                                "it deletes a tree that is deeper than " + depthLimit + " directories");
                    }
                } else {
                    levels.pop().close();
                    level.above.ifPresent(above -> leave(above, level));
                }
            }
            return pathsChanged;
        } finally {
            levels.forEach(Level::close);
        }
    }

    /** Removes what is no directory, unless it is the layer's own; the directory that is to be looked through. */
    private Optional<Level> remove(Level in, byte[] name) {
        Optional<Inodes.Status> there = Inodes.status(in.directory, name);
        if (there.isEmpty()) {
            return Optional.empty();
        }
        if (there.get().isDirectory()) {
            return enter(in, name);
        }
        if (made.has(in.inode, name)) {
            in.stay();
        } else {
            Inodes.removeFile(in.directory, name);
            pathsChanged |= there.get().type() == Inodes.SYMLINK;
        }
        return Optional.empty();
    }

    private Optional<Level> enter(Level in, byte[] name) {
        Fd opened = RootedPath.openDirectory(in.directory, name, RootedPath.Escape.IS_REFUSED);
        boolean entered = false;
        try {
            long inode = Inodes.status(opened).inode();
            if (made.isNew(inode)) {
                in.stay();
                return Optional.empty();
            }
            Level level = Level.all(Optional.of(in), opened, inode, name);
            entered = true;
            if (made.hasDirectory(inode)) {
                level.stay();
            }
            return Optional.of(level);
        } finally {
            if (!entered) {
                opened.close();
            }
        }
    }

    private void leave(Level above, Level level) {
        if (level.stays[0]) {
            above.stay();
        } else {
            Inodes.removeDirectory(above.directory, level.name);
            pathsChanged = true;
        }
    }
}
