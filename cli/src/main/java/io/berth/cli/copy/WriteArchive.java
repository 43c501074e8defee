package io.berth.cli.copy;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Packs a file or a directory of this machine for a container's tar: plain files, directories and links as they are. */
public final class WriteArchive {

    // What tar reads at once. Not every runtime can say that the input ends, so a tar must have read all by itself.
    private static final int RECORD_BYTES = 10240;

    private WriteArchive() {}

    /** Writes {@code source} under {@code name} and ends {@code out}'s archive, but does not close it. */
    public static void write(Path source, String name, OutputStream out) {
        try (Stream<Path> all = Files.walk(source)) {
            TarArchiveOutputStream tar = new TarArchiveOutputStream(out, RECORD_BYTES);
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
            for (Path path : (Iterable<Path>) all::iterator) {
                String relative = source.relativize(path).toString();
                add(tar, path, relative.isEmpty() ? name : name + "/" + relative);
            }
            tar.finish();
            tar.flush();
        } catch (IOException e) {
            throw RuntimeFault.during("copy " + source, e);
        }
    }

    private static void add(TarArchiveOutputStream tar, Path path, String name) throws IOException {
        int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777;
        TarArchiveEntry entry;
        if (Files.isSymbolicLink(path)) {
            entry = new TarArchiveEntry(name, TarConstants.LF_SYMLINK);
            entry.setLinkName(Files.readSymbolicLink(path).toString());
        } else if (Files.isDirectory(path)) {
            entry = new TarArchiveEntry(name + "/");
        } else if (Files.isRegularFile(path)) {
            entry = new TarArchiveEntry(name);
            entry.setSize(Files.size(path));
        } else {
            return;
        }
        entry.setMode(mode);
        entry.setModTime(Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toMillis());
        tar.putArchiveEntry(entry);
        if (entry.isFile() && !entry.isSymbolicLink()) {
            Files.copy(path, tar);
        }
        tar.closeArchiveEntry();
    }
}
