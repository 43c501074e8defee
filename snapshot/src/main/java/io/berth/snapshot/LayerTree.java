package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The directory that a layer is unpacked into, reached only through descriptors: the directory of each entry is opened
 * with the layer as its root, and the entry is made in it by its bare name. Directories are kept open for the entries
 * that follow. Owned by one thread, which closes it.
 */
final class LayerTree implements AutoCloseable {

    private static final int OPEN_LIMIT = 64;
    private static final int LINK_LIMIT = 40;

    private final Fd root;
    private final int depthLimit;
    private final long rootInode;
    private final Map<String, Opened> open = new LinkedHashMap<>(16, 0.75f, true);
    private final FreshInode fresh;
    private final Whiteouts whiteouts;
    private Optional<Fd> inUse = Optional.empty();
    private long parentsMade;

    /**
     * An entry's place: the open directory, which stays this tree's, and the name in it.
     *
     * @param plain whether what is made there is as {@link FreshInode} says
     * @param inode of the directory
     */
    record Place(Fd directory, byte[] name, boolean plain, long inode) {}

    private record Opened(Fd directory, boolean plain, long inode) {

        Place place(byte[] name) {
            return new Place(directory, name, plain, inode);
        }
    }

    /**
     * A tree for a layer alone, in the form that overlayfs reads.
     *
     * @param root owned by this tree from now on
     * @param fresh what inodes are like that are made in plain directories of this file system
     * @param implied takes the paths of directories that the archive leaves out, for {@link AdoptDirectories}; stays
     *     the caller's
     */
    LayerTree(Fd root, int depthLimit, FreshInode fresh, SpilledRecords implied) {
        this(root, depthLimit, fresh, Optional.of(implied));
    }

    private LayerTree(Fd root, int depthLimit, FreshInode fresh, Optional<SpilledRecords> implied) {
        this.root = root;
        this.rootInode = Inodes.status(root).inode();
        this.depthLimit = depthLimit;
        this.fresh = fresh;
        this.whiteouts = implied.isPresent() ? new OverlayWhiteouts(this, implied.get())
                : new CarriedOutWhiteouts(this, depthLimit);
    }

    /**
     * A tree that has the files of the layers below, which the layer changes.
     *
     * @param root owned by the tree from now on
     */
    static LayerTree inPlace(Fd root, int depthLimit) {
        return new LayerTree(root, depthLimit, FreshInode.UNKNOWN, Optional.empty());
    }

    Whiteouts whiteouts() {
        return whiteouts;
    }

    FreshInode fresh() {
        return fresh;
    }

    Fd root() {
        return root;
    }

    /** How many directories were made because the archive leaves them out. */
    long parentsMade() {
        return parentsMade;
    }

    /** The place of {@code path}, whose parents are made where they are missing; empty for the layer's root itself. */
    Optional<Place> place(byte[] path) {
        List<byte[]> parts = parts(path);
        if (parts.isEmpty()) {
            return Optional.empty();
        }
        List<byte[]> parents = parts.subList(0, parts.size() - 1);
        return Optional.of(directory(parents).place(parts.getLast()));
    }

    /** As {@link #place}, but nothing is made: empty where a parent is missing, too. */
    Optional<Place> find(byte[] path) {
        List<byte[]> parts = parts(path);
        if (parts.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(opened(parts.subList(0, parts.size() - 1)).place(parts.getLast()));
        } catch (SystemCallFault fault) {
            if (fault.errno() != Errno.ENOENT && fault.errno() != Errno.ENOTDIR && fault.errno() != Errno.ELOOP) {
                throw fault;
            }
            return Optional.empty();
        }
    }

    /** The place of an existing entry, as the target of a hard link. */
    Place existing(byte[] path) {
        List<byte[]> parts = parts(path);
        if (parts.isEmpty()) {
            throw bad(path, "it cannot be the target of a hard link");
        }
        return directory(parts.subList(0, parts.size() - 1)).place(parts.getLast());
    }

    /**
     * Forgets open directories, because a name that they were reached by may mean something else now, or what is made in
     * them may be another one's.
     *
     * @param kept stays open, because it is being worked in, though it is forgotten as well
     */
    void forgetPathsExcept(Fd kept) {
        inUse.filter(old -> old != kept).ifPresent(Fd::close);
        inUse = kept == root ? Optional.empty() : Optional.of(kept);
        open.values().stream().map(Opened::directory).filter(directory -> directory != kept).forEach(Fd::close);
        open.clear();
    }

    /** The components of a path; one that leads upwards is refused. */
    List<byte[]> parts(byte[] path) {
        List<byte[]> parts = new ArrayList<>();
        int from = 0;
        for (int i = 0; i <= path.length; i++) {
            if (i == path.length || path[i] == '/') {
                int length = i - from;
                if (length == 2 && path[from] == '.' && path[from + 1] == '.') {
                    throw bad(path, "it leads upwards");
                }
                if (length > 0 && !(length == 1 && path[from] == '.')) {
                    parts.add(java.util.Arrays.copyOfRange(path, from, i));
                }
                from = i + 1;
            }
        }
        if (parts.size() > depthLimit) {
            throw bad(path, "it is deeper than " + depthLimit + " directories");
        }
        return parts;
    }

    private Opened directory(List<byte[]> path) {
        try {
            return opened(path);
        } catch (SystemCallFault fault) {
            byte[] bytes = joined(path);
            if (fault.errno() != Errno.ENOENT && fault.errno() != Errno.ENOTDIR) {
                throw fault.errno() == Errno.ELOOP ? bad(bytes, "symbolic links that form a loop") : fault;
            }
            return kept(key(bytes), make(path, bytes));
        }
    }

    private Opened opened(List<byte[]> path) {
        if (path.isEmpty()) {
            // Its owner may change at any entry: not worth to be followed.
            return new Opened(root, false, rootInode);
        }
        byte[] bytes = joined(path);
        String key = key(bytes);
        Opened known = open.get(key);
        return known != null ? known
                : kept(key, RootedPath.openDirectory(root, bytes, RootedPath.Escape.STAYS_IN_ROOT));
    }

    private static String key(byte[] path) {
        return new String(path, StandardCharsets.ISO_8859_1);
    }

    private Opened kept(String key, Fd opened) {
        if (open.size() >= OPEN_LIMIT) {
            var oldest = open.entrySet().iterator();
            oldest.next().getValue().directory.close();
            oldest.remove();
        }
        Inodes.Status status = Inodes.status(opened);
        Opened folder = new Opened(opened, fresh.isPlain(status), status.inode());
        open.put(key, folder);
        return folder;
    }

    /** Opens the directory and makes what is missing, also behind symbolic links that lead nowhere yet. */
    private Fd make(List<byte[]> path, byte[] shown) {
        Deque<byte[]> todo = new ArrayDeque<>(path);
        List<byte[]> done = new ArrayList<>();
        int links = 0;
        while (!todo.isEmpty()) {
            byte[] name = todo.pop();
            if (isUp(name)) {
                if (!done.isEmpty()) {
                    done.removeLast();
                }
                continue;
            }
            try (Fd parent = RootedPath.openDirectory(root, joined(done), RootedPath.Escape.STAYS_IN_ROOT)) {
                Optional<byte[]> target = Inodes.linkTarget(parent, name);
                if (target.isEmpty()) {
                    done.add(name);
                    makeImplied(parent, done, shown, links > 0);
                    continue;
                }
                if (++links > LINK_LIMIT || todo.size() > depthLimit) {
                    throw bad(shown, "symbolic links that form a loop");
                }
                if (target.get().length > 0 && target.get()[0] == '/') {
                    done.clear();
                }
                components(target.get()).reversed().forEach(todo::push);
            }
        }
        return RootedPath.openDirectory(root, joined(done), RootedPath.Escape.STAYS_IN_ROOT);
    }

    private void makeImplied(Fd parent, List<byte[]> path, byte[] shown, boolean behindLink) {
        byte[] name = path.getLast();
        Optional<Inodes.Status> there = Inodes.status(parent, name);
        if (there.filter(Inodes.Status::isDirectory).isPresent()) {
            return;
        }
        Place place = new Place(parent, name, false, Inodes.status(parent).inode());
        if (there.isPresent()) {
            if (!whiteouts.givesWay(place, there.get(), behindLink)) {
                throw bad(shown, "a parent is not a directory");
            }
            Inodes.removeFile(parent, name);
        }
        Inodes.makeDirectory(parent, name, 0755);
        Inodes.changeMode(parent, name, 0755);
        parentsMade++;
        whiteouts.madeParent(place, there, joined(path));
    }

    private static boolean isUp(byte[] name) {
        return name.length == 2 && name[0] == '.' && name[1] == '.';
    }

    private static List<byte[]> components(byte[] path) {
        List<byte[]> found = new ArrayList<>();
        for (String part : new String(path, StandardCharsets.ISO_8859_1).split("/")) {
            if (!part.isEmpty() && !part.equals(".")) {
                found.add(part.getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        return found;
    }

    static byte[] joined(List<byte[]> path) {
        int length = Math.max(0, path.size() - 1);
        for (byte[] part : path) {
            length += part.length;
        }
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : path) {
            if (at > 0) {
                all[at++] = '/';
            }
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    static RuntimeFault bad(byte[] path, String reason) {
        String text = new String(path, StandardCharsets.ISO_8859_1).replaceAll("[^\\x20-\\x7e]", "?");
        return new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer: the path \""
                + (text.length() > 200 ? text.substring(0, 200) + "…" : text) + "\" is refused: " + reason);
    }

    @Override
    public void close() {
        forgetPathsExcept(root);
        root.close();
        whiteouts.close();
    }
}
