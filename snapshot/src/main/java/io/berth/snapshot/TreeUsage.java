package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Set;

/** Counts what a tree takes while it may change; follows no symbolic link. Hard links count once. */
final class TreeUsage {

    private static final int DEPTH_LIMIT = 512;
    private static final long EXACT_FROM = 1 << 20;
    private static final int BLOCK = 4096;

    private final Set<Object> seen = new HashSet<>();
    private long bytes;
    private long inodes;

    private TreeUsage() {}

    static Usage of(Path top) {
        TreeUsage usage = new TreeUsage();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(top)) {
            usage.inodes++;
            usage.bytes += BLOCK;
            usage.count((SecureDirectoryStream<Path>) stream, top, 0);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return Usage.NONE;
        } catch (IOException e) {
            throw RuntimeFault.internal("count the files of " + top + ": " + RuntimeFault.reason(e), e);
        }
        return new Usage(usage.bytes, usage.inodes);
    }

    private void count(SecureDirectoryStream<Path> directory, Path at, int depth) throws IOException {
        for (Path path : directory) {
            Path name = path.getFileName();
            try {
                BasicFileAttributes found = directory.getFileAttributeView(
                        name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS).readAttributes();
                if (found.isDirectory()) {
                    inodes++;
                    bytes += BLOCK;
                    if (depth < DEPTH_LIMIT) {
                        try (var below = directory.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                            count(below, at.resolve(name), depth + 1);
                        }
                    }
                } else if (seen.add(found.fileKey())) {
                    inodes++;
                    bytes += found.isRegularFile() ? allocated(at, name, found.size()) : 0;
                }
            } catch (NoSuchFileException e) {
                // It was removed while we counted.
                continue;
            }
        }
    }

    // The JDK does not tell allocated blocks; large files may be sparse, and a wrong figure gets a pod evicted.
    private static long allocated(Path folder, Path name, long size) {
        if (size >= EXACT_FROM) {
            try (Fd directory = Fd.openDirectory(folder)) {
                var status = Inodes.status(directory, RawName.of(name));
                if (status.isPresent()) {
                    return status.get().allocatedBytes();
                }
            } catch (RuntimeFault gone) {
                return 0;
            }
        }
        return (size + BLOCK - 1) / BLOCK * BLOCK;
    }
}
