package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.RawName;
import io.berth.linux.RootedPath;
import io.berth.linux.SystemCallFault;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts what a tree takes on the disk while it may change, as du(1) does: allocated blocks, hard links once. Follows no
 * symbolic link.
 */
final class TreeUsage {

    private static final int DEPTH_LIMIT = 512;

    /**
     * Files that have several names, by the number of names, which are all in the tree: an n-th of what they seem to be
     * is what they are. The inodes that were seen might not fit into memory.
     */
    private final Map<Long, Usage> linked = new HashMap<>();
    private long bytes;
    private long inodes;

    private TreeUsage() {}

    static Usage of(Path top) {
        TreeUsage usage = new TreeUsage();
        try (Fd directory = Fd.openDirectory(top)) {
            usage.inodes++;
            usage.bytes += Inodes.status(directory).allocatedBytes();
            usage.count(directory, 0);
        } catch (SystemCallFault e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR) {
                return Usage.NONE;
            }
            throw e;
        } catch (IOException e) {
            throw RuntimeFault.internal("count the files of " + top + ": " + RuntimeFault.reason(e), e);
        }
        usage.linked.forEach((links, all) -> {
            usage.inodes += all.inodes() / links;
            usage.bytes += all.bytes() / links;
        });
        return new Usage(usage.bytes, usage.inodes);
    }

    private void count(Fd directory, int depth) throws IOException {
        try (DirectoryStream<Path> names = Files.newDirectoryStream(directory.procPath())) {
            for (Path path : names) {
                byte[] name = RawName.of(path);
                Inodes.Status found = Inodes.status(directory, name).orElse(null);
                if (found == null) {
                    // It was removed while we counted.
                    continue;
                }
                if (found.links() > 1 && !found.isDirectory()) {
                    linked.merge(found.links(), new Usage(found.allocatedBytes(), 1), Usage::plus);
                    continue;
                }
                inodes++;
                bytes += found.allocatedBytes();
                if (found.isDirectory() && depth < DEPTH_LIMIT) {
                    below(directory, name, depth);
                }
            }
        }
    }

    private void below(Fd directory, byte[] name, int depth) throws IOException {
        try (Fd opened = RootedPath.openDirectory(directory, name, RootedPath.Escape.IS_REFUSED)) {
            count(opened, depth + 1);
        } catch (SystemCallFault gone) {
            if (gone.errno() != Errno.ENOENT && gone.errno() != Errno.ENOTDIR && gone.errno() != Errno.EXDEV) {
                throw gone;
            }
        }
    }
}
