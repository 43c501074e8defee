package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.SystemCallFault;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.ZipException;

/**
 * Writes the entries of a layer's archive into a directory of its own, in the form that overlayfs reads, or into a tree
 * that has the files of the layers below, where it does what the layer says of them: {@link Whiteouts}. Used once, by
 * one platform thread.
 *
 * <p>Source: OCI image-spec, layer.md; the kernel's {@code Documentation/filesystems/overlayfs.rst}.
 */
final class UnpackLayer {

    private static final long ID_LIMIT = 0xffff_fffeL;

    private final LayerTree tree;
    private final Whiteouts whiteouts;
    private final UnpackLimits limits;
    private final byte[] buffer = new byte[128 * 1024];
    // Directories get their time last, because each entry made in them changes it.
    private final SpilledRecords times;
    private LayerStream layer;
    private Fd.Buffer memory;
    private long apparentBytes;
    private long bytes;
    private long inodes = 1;
    private boolean rootIsExplicit;
    // A default access list takes bits from what is made below it and adds entries.
    private boolean defaultLists;

    /**
     * The time that an entry says of a directory.
     *
     * @param parent inode of the directory that it is in: symbolic links may lead elsewhere when all is unpacked
     */
    private record Dated(long parent, long seconds, int nanos, byte[] path) {

        byte[] bytes() {
            return ByteBuffer.allocate(20 + path.length).putLong(parent).putLong(seconds).putInt(nanos).put(path)
                    .array();
        }

        static Dated of(byte[] bytes) {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            return new Dated(in.getLong(), in.getLong(), in.getInt(), Arrays.copyOfRange(bytes, 20, bytes.length));
        }
    }

    /** @param scratch a directory for a file that has no name, when there are very many directories */
    UnpackLayer(LayerTree tree, UnpackLimits limits, Path scratch) {
        this.times = new SpilledRecords(scratch);
        this.tree = tree;
        this.whiteouts = tree.whiteouts();
        this.limits = limits;
    }

    /**
     * Unpacks a layer into a tree that has the files of the layers below: what it deletes is removed, what it has
     * replaces what is there, directories keep what they hold. No mark of overlayfs is made. When it fails, a part of
     * the layer is in the tree.
     *
     * @return an estimate of what the layer adds
     */
    static Usage inPlace(Path top, UnpackLimits limits, InputStream compressed, Digest diffId) {
        try (LayerTree tree = LayerTree.inPlace(Fd.openDirectory(top), limits.pathDepth())) {
            return new UnpackLayer(tree, limits, top).unpack(compressed, diffId);
        }
    }

    /** Whether the archive says what the layer's root looks like. */
    boolean rootIsExplicit() {
        return rootIsExplicit;
    }

    /** Unpacks all; fails with kind DATA_LOSS when the bytes are not those of {@code diffId}. */
    Usage unpack(InputStream compressed, Digest diffId) {
        return unpack(compressed, diffId.algorithm(), diffId.toString(), found -> {
            if (!found.equals(diffId)) {
                throw new RuntimeFault(Kind.DATA_LOSS, "unpack layer: the content has digest " + found
                        + ", the image configuration says " + diffId);
            }
        });
    }

    /** Unpacks a layer whose digest nobody has told. */
    Usage unpack(InputStream compressed) {
        return unpack(compressed, "sha256", "without a digest", found -> { });
    }

    private Usage unpack(InputStream compressed, String algorithm, String diffId, Consumer<Digest> check) {
        try (times;
                Fd.Buffer reused = new Fd.Buffer(buffer.length);
                LayerStream opened = new LayerStream(compressed, algorithm, limits);
                ReadAhead ahead = new ReadAhead(opened)) {
            layer = opened;
            memory = reused;
            entries(new TarReader(ahead, limits), diffId);
            // Padding after the archive's end belongs to the diff id.
            ahead.drain();
            check.accept(layer.digest());
            times.forEach(dated -> setTime(Dated.of(dated)));
            return new Usage(bytes, inodes);
        } catch (ZipException | EOFException | com.github.luben.zstd.ZstdIOException e) {
            throw new RuntimeFault(Kind.DATA_LOSS, "unpack layer " + diffId + ": the compressed data is damaged: "
                    + RuntimeFault.reason(e), e);
        } catch (IOException e) {
            throw new RuntimeFault(Kind.INTERNAL, "unpack layer " + diffId + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void entries(TarReader tar, String diffId) throws IOException {
        long entries = 0;
        for (Optional<TarEntry> entry = tar.next(); entry.isPresent(); entry = tar.next()) {
            // A path of a few bytes more makes a directory of its own, which takes a block of the disk.
            if (++entries + tree.parentsMade() > limits.entries()) {
                throw new RuntimeFault(Kind.RESOURCE_EXHAUSTED, "unpack layer: more than the limit of "
                        + limits.entries() + " entries, with the directories that it leaves out");
            }
            if (Thread.currentThread().isInterrupted()) {
                throw new RuntimeFault(Kind.CANCELLED, "unpack layer " + diffId + ": cancelled");
            }
            layer.checkTime();
            apply(entry.get(), tar);
        }
    }

    private void apply(TarEntry entry, TarReader tar) throws IOException {
        Optional<LayerTree.Place> found = tree.place(entry.name());
        if (found.isEmpty()) {
            if (entry.type() == TarReader.DIRECTORY) {
                applyRoot(entry);
            }
            return;
        }
        LayerTree.Place place = found.get();
        Inodes.checkName(place.name());
        if (Whiteouts.isMark(place.name())) {
            inodes += whiteouts.apply(place, entry.name());
            return;
        }
        checkOwner(entry);
        if (entry.type() == TarReader.REGULAR) {
            file(entry, place, tar);
            whiteouts.made(place);
            inodes++;
            return;
        }
        Optional<Inodes.Status> there = Inodes.status(place.directory(), place.name());
        boolean kept = there.filter(Inodes.Status::isDirectory).isPresent() && entry.type() == TarReader.DIRECTORY;
        if (there.isPresent() && !kept) {
            removeOld(place, there.get());
        }
        if (whiteouts.isDeletion(entry)) {
            whiteouts.made(place);
            return;
        }
        make(entry, place, kept);
        if (entry.type() == TarReader.DIRECTORY) {
            whiteouts.madeDirectory(place, there);
            directory(entry, place, kept);
            inodes += kept ? 0 : 1;
            return;
        }
        whiteouts.made(place);
        if (entry.type() != TarReader.HARD_LINK) {
            dress(entry, place);
            inodes++;
        }
    }

    private void make(TarEntry entry, LayerTree.Place place, boolean kept) throws IOException {
        Fd in = place.directory();
        switch (entry.type()) {
            case TarReader.DIRECTORY -> {
                if (!kept) {
                    Inodes.makeDirectory(in, place.name(), 0700);
                }
            }
            case TarReader.SYMLINK -> {
                if (entry.linkName().length == 0) {
                    throw LayerTree.bad(entry.name(), "a symbolic link without a target");
                }
                Inodes.makeSymlink(entry.linkName(), in, place.name());
            }
            case TarReader.HARD_LINK -> hardLink(entry);
            case TarReader.FIFO -> Inodes.makeNode(in, place.name(), Inodes.FIFO | 0600, 0, 0);
            case TarReader.CHARACTER_DEVICE ->
                Inodes.makeNode(in, place.name(), Inodes.CHARACTER_DEVICE | 0600, entry.deviceMajor(), entry.deviceMinor());
            case TarReader.BLOCK_DEVICE ->
                Inodes.makeNode(in, place.name(), Inodes.BLOCK_DEVICE | 0600, entry.deviceMajor(), entry.deviceMinor());
            default -> throw new IllegalStateException("type " + entry.type());
        }
    }

    // Four system calls for a file that is root's, as nearly all are: open, write, set the time, close.
    private void file(TarEntry entry, LayerTree.Place place, TarReader tar) throws IOException {
        charge(entry.apparentBytes());
        FreshInode fresh = tree.fresh();
        boolean owned = place.plain() && fresh.owns(entry);
        boolean dressed = owned && !defaultLists && fresh.keeps(entry.mode());
        try (Fd file = create(place, dressed ? entry.mode() : 0600)) {
            if (entry.sparse().isPresent()) {
                pieces(file, entry.sparse().get(), tar);
            } else {
                copy(file, entry.sizeBytes(), tar);
            }
            // Order: a change of owner clears setuid bits and capabilities; a write would change the time.
            if (!owned) {
                Inodes.changeOwner(file, (int) entry.uid(), (int) entry.gid());
            }
            if (!dressed) {
                Inodes.changeMode(file, entry.mode());
            }
            attributes(entry.attributes(), place);
            Inodes.setTimes(file, entry.seconds(), entry.nanos());
        }
        bytes += (entry.sizeBytes() + 4095) & ~4095L;
    }

    private Fd create(LayerTree.Place place, int mode) {
        Optional<Fd> made = Inodes.createNew(place.directory(), place.name(), mode);
        if (made.isPresent()) {
            return made.get();
        }
        Inodes.status(place.directory(), place.name()).ifPresent(old -> removeOld(place, old));
        return Inodes.createFile(place.directory(), place.name(), mode);
    }

    private void copy(Fd file, long length, TarReader tar) throws IOException {
        for (long left = length; left > 0;) {
            int count = tar.read(buffer, (int) Math.min(left, buffer.length));
            file.write(buffer, 0, count, memory);
            left -= count;
            layer.checkTime();
        }
    }

    private void pieces(Fd file, SparseMap map, TarReader tar) throws IOException {
        for (int i = 0; i < map.offsets().length; i++) {
            file.seek(map.offsets()[i]);
            copy(file, map.lengths()[i], tar);
        }
        file.resize(map.sizeBytes());
    }

    // A hole takes no place on the disk, but what copies or hashes the file later would have to read all of it.
    private void charge(long apparent) {
        if (apparent > limits.bytes() - apparentBytes) {
            throw new RuntimeFault(Kind.RESOURCE_EXHAUSTED, "unpack layer: its files have more than the limit of "
                    + limits.bytes() + " bytes");
        }
        apparentBytes += apparent;
    }

    private void hardLink(TarEntry entry) {
        LayerTree.Place from = tree.existing(entry.linkName());
        // Looked up again: making the parents of the target may have closed the directory of the new name.
        LayerTree.Place to = tree.place(entry.name()).orElseThrow();
        try {
            Inodes.makeLink(from.directory(), from.name(), to.directory(), to.name());
        } catch (SystemCallFault fault) {
            throw switch (fault.errno()) {
                case Errno.ENOENT, Errno.EPERM, Errno.EEXIST ->
                    LayerTree.bad(entry.linkName(), "a hard link to what is not a file of this layer");
                default -> fault;
            };
        }
    }

    private void directory(TarEntry entry, LayerTree.Place place, boolean kept) {
        Fd in = place.directory();
        boolean special = entry.gid() != tree.fresh().gid() || (entry.mode() & 02000) != 0;
        if (kept || !place.plain() || !tree.fresh().owns(entry)) {
            Inodes.changeOwner(in, place.name(), (int) entry.uid(), (int) entry.gid());
        }
        Inodes.changeMode(in, place.name(), entry.mode());
        attributes(entry.attributes(), place);
        times.add(new Dated(place.inode(), entry.seconds(), entry.nanos(), entry.name()).bytes());
        if (kept && special) {
            // It may be open, taken for a plain one.
            tree.forgetPathsExcept(in);
        }
    }

    private void dress(TarEntry entry, LayerTree.Place place) {
        Fd in = place.directory();
        if (!place.plain() || !tree.fresh().owns(entry)) {
            Inodes.changeOwner(in, place.name(), (int) entry.uid(), (int) entry.gid());
        }
        if (entry.type() != TarReader.SYMLINK) {
            Inodes.changeMode(in, place.name(), entry.mode());
            attributes(entry.attributes(), place);
        }
        Inodes.setTimes(in, place.name(), entry.seconds(), entry.nanos());
    }

    private void applyRoot(TarEntry entry) {
        checkOwner(entry);
        rootIsExplicit = true;
        Inodes.changeOwner(tree.root(), (int) entry.uid(), (int) entry.gid());
        Inodes.changeMode(tree.root(), entry.mode());
        times.add(new Dated(0, entry.seconds(), entry.nanos(), new byte[0]).bytes());
    }

    // Only these: trusted.overlay.* would let a layer redirect the overlay, other names are policy of the node.
    private void attributes(Map<String, byte[]> attributes, LayerTree.Place place) {
        attributes.forEach((name, value) -> {
            boolean allowed = name.equals("security.capability") || name.startsWith("system.posix_acl_")
                    || name.startsWith("user.") && !name.startsWith("user.overlay.") && name.indexOf('\0') < 0;
            if (!allowed || value.length > 65536 || name.length() > 255) {
                return;
            }
            defaultLists |= name.equals("system.posix_acl_default");
            try {
                Inodes.setAttribute(place.directory(), place.name(), name, value);
            } catch (SystemCallFault fault) {
                // A file system or file type without such attributes: the file is good all the same.
                boolean harmless = !name.startsWith("security.")
                        && (fault.errno() == Errno.EOPNOTSUPP || fault.errno() == Errno.EPERM);
                if (!harmless) {
                    throw fault;
                }
            }
        });
    }

    private void removeOld(LayerTree.Place place, Inodes.Status there) {
        if (there.isDirectory()) {
            RemoveTree.in(place.directory(), place.name());
        } else {
            Inodes.removeFile(place.directory(), place.name());
        }
        if (there.isDirectory() || there.type() == Inodes.SYMLINK) {
            tree.forgetPathsExcept(place.directory());
        }
    }

    private void setTime(Dated dated) {
        if (dated.path().length == 0) {
            Inodes.setTimes(tree.root(), dated.seconds(), dated.nanos());
            return;
        }
        // It, or what it is in, may have been replaced by a later entry.
        tree.find(dated.path()).filter(place -> place.inode() == dated.parent()
                && Inodes.status(place.directory(), place.name()).filter(Inodes.Status::isDirectory).isPresent())
                .ifPresent(place -> Inodes.setTimes(place.directory(), place.name(), dated.seconds(), dated.nanos()));
    }

    private static void checkOwner(TarEntry entry) {
        if (entry.uid() < 0 || entry.uid() > ID_LIMIT || entry.gid() < 0 || entry.gid() > ID_LIMIT) {
            throw LayerTree.bad(entry.name(), "an owner that is not a number from 0 to " + ID_LIMIT);
        }
    }
}
