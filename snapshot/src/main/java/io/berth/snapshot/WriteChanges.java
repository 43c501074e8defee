package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RawName;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Writes the upper directory of an overlay as the tar stream of an OCI layer: deleted names as {@code .wh.NAME}, directories
 * that hide what is below them with {@code .wh..wh..opq}. Extended attributes and sockets are left out. Names are followed
 * inside the directory only, so a running container cannot lead the reader out by swapping a directory for a link.
 *
 * <p>Source: OCI image-spec, layer.md, "Representing Changes".
 */
final class WriteChanges {

    private static final int BUFFER = 64 << 10;
    /** What a container may have made to keep the daemon busy or to take its memory. */
    private static final int DEPTH_LIMIT = 256;
    private static final int NOTES_CHARACTERS = 4 << 20;

    private final Path upper;
    // By inode, what a further hard link refers to.
    private final Map<Long, String> linked = new HashMap<>();
    private final List<String> deleted = new ArrayList<>();
    private final int notesLimit;
    private int notes;

    WriteChanges(Path upper) {
        this(upper, NOTES_CHARACTERS);
    }

    /** @param notesLimit characters of the paths that may have to be kept in mind */
    WriteChanges(Path upper, int notesLimit) {
        this.upper = upper;
        this.notesLimit = notesLimit;
    }

    /** Writes the whole stream to {@code out}, which stays open. The paths that are deleted, where they are text. */
    List<String> to(OutputStream out) {
        // One character a byte, so that names which are not UTF-8 pass through.
        try (Fd root = Fd.openDirectory(upper)) {
            TarArchiveOutputStream tar = new TarArchiveOutputStream(out, StandardCharsets.ISO_8859_1.name());
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
            // The root itself too, which a container may have changed as well.
            empty(tar, described(new TarArchiveEntry("./", TarConstants.LF_DIR), Inodes.status(root)));
            all(tar, root);
            tar.finish();
            return List.copyOf(deleted);
        } catch (IOException e) {
            throw RuntimeFault.internal("write the changes in " + upper + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** A directory that is being gone through. */
    private record Open(Fd directory, DirectoryStream<Path> entries, Iterator<Path> left, String path) implements AutoCloseable {

        static Open of(Fd directory, String path) throws IOException {
            try {
                DirectoryStream<Path> entries = Files.newDirectoryStream(directory.procPath());
                return new Open(directory, entries, entries.iterator(), path);
            } catch (IOException | RuntimeException e) {
                directory.close();
                throw e;
            }
        }

        @Override
        public void close() throws IOException {
            directory.close();
            entries.close();
        }
    }

    // In no order, since a directory may have millions of names, and not by recursion: the stacks of the daemon are small.
    private void all(TarArchiveOutputStream tar, Fd root) throws IOException {
        Deque<Open> open = new ArrayDeque<>();
        try {
            open.push(Open.of(Fd.openDirectory(upper), ""));
            while (!open.isEmpty()) {
                Open now = open.peek();
                if (!now.left.hasNext()) {
                    open.pop().close();
                    continue;
                }
                byte[] name = RawName.of(now.left.next());
                String child = (now.path.isEmpty() ? "" : now.path + "/") + new String(name, StandardCharsets.ISO_8859_1);
                var status = Inodes.status(now.directory, name);
                if (status.isPresent()) {
                    entry(tar, root, now.directory, name, child, status.get());
                    if (status.get().isDirectory()) {
                        if (open.size() > DEPTH_LIMIT) {
                            throw tooMuch("its directories are deeper than " + DEPTH_LIMIT);
                        }
                        open.push(Open.of(RootedPath.openDirectory(root, raw(child), RootedPath.Escape.STAYS_IN_ROOT), child));
                    }
                }
            }
        } finally {
            for (Open left : open) {
                left.close();
            }
        }
    }

    private void note(String path) {
        notes += path.length();
        if (notes > notesLimit) {
            throw tooMuch("it has deleted, or has with several names, more files than can be kept in mind");
        }
    }

    private RuntimeFault tooMuch(String reason) {
        return new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "write the changes in " + upper + ": " + reason);
    }

    private void entry(TarArchiveOutputStream tar, Fd root, Fd parent, byte[] name, String path, Inodes.Status status)
            throws IOException {
        if (status.isWhiteout()) {
            int slash = path.lastIndexOf('/') + 1;
            note(path);
            deleted.add("/" + new String(raw(path), StandardCharsets.UTF_8));
            empty(tar, new TarArchiveEntry(path.substring(0, slash) + ".wh." + path.substring(slash)));
            return;
        }
        switch (status.type()) {
            case Inodes.DIRECTORY -> {
                empty(tar, described(new TarArchiveEntry(path + "/", TarConstants.LF_DIR), status));
                if (Inodes.attribute(parent, name, "trusted.overlay.opaque").isPresent()) {
                    empty(tar, new TarArchiveEntry(path + "/.wh..wh..opq"));
                }
            }
            case Inodes.REGULAR -> regular(tar, root, path, status);
            case Inodes.SYMLINK -> {
                TarArchiveEntry link = described(new TarArchiveEntry(path, TarConstants.LF_SYMLINK), status);
                link.setLinkName(new String(Inodes.linkTarget(parent, name).orElse(new byte[0]), StandardCharsets.ISO_8859_1));
                empty(tar, link);
            }
            case Inodes.CHARACTER_DEVICE -> empty(tar, device(path, TarConstants.LF_CHR, status));
            case Inodes.BLOCK_DEVICE -> empty(tar, device(path, TarConstants.LF_BLK, status));
            case Inodes.FIFO -> empty(tar, described(new TarArchiveEntry(path, TarConstants.LF_FIFO), status));
            default -> { }
        }
    }

    private void regular(TarArchiveOutputStream tar, Fd root, String path, Inodes.Status status) throws IOException {
        String first = status.links() > 1 ? linked.putIfAbsent(status.inode(), path) : null;
        if (status.links() > 1 && first == null) {
            note(path);
        }
        if (first != null) {
            TarArchiveEntry link = described(new TarArchiveEntry(path, TarConstants.LF_LINK), status);
            link.setLinkName(first);
            empty(tar, link);
            return;
        }
        try (Fd file = RootedPath.openReadOnly(root, raw(path))) {
            Inodes.Status now = Inodes.status(file);
            if (now.type() != Inodes.REGULAR) {
                return;
            }
            TarArchiveEntry entry = described(new TarArchiveEntry(path), now);
            entry.setSize(now.sizeBytes());
            tar.putArchiveEntry(entry);
            copy(tar, file, now.sizeBytes());
            tar.closeArchiveEntry();
        } catch (SystemCallFault removedMeanwhile) {
            linked.remove(status.inode(), path);
        }
    }

    // Exactly the announced size, whatever the container does to the file meanwhile.
    private static void copy(TarArchiveOutputStream tar, Fd file, long size) throws IOException {
        byte[] buffer = new byte[BUFFER];
        long left = size;
        while (left > 0) {
            int count = file.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                Arrays.fill(buffer, (byte) 0);
                count = (int) Math.min(buffer.length, left);
            }
            tar.write(buffer, 0, count);
            left -= count;
        }
    }

    private static TarArchiveEntry device(String path, byte type, Inodes.Status status) {
        TarArchiveEntry entry = described(new TarArchiveEntry(path, type), status);
        entry.setDevMajor(status.deviceMajor());
        entry.setDevMinor(status.deviceMinor());
        return entry;
    }

    private static TarArchiveEntry described(TarArchiveEntry entry, Inodes.Status status) {
        entry.setMode(status.mode() & 07777);
        entry.setIds(status.uid(), status.gid());
        entry.setModTime(status.modifiedSeconds() * 1000);
        return entry;
    }

    private static void empty(TarArchiveOutputStream tar, TarArchiveEntry entry) throws IOException {
        entry.setSize(0);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }

    private static byte[] raw(String path) {
        return path.getBytes(StandardCharsets.ISO_8859_1);
    }
}
