package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Gives a file, or a directory with all that is in it, an SELinux label. A container may change the tree meanwhile: no
 * symbolic link is followed, and what vanishes is passed over. Only what has another label is written to.
 */
public final class RelabelTree {

    private static final int DEPTH_LIMIT = 512;

    private final byte[] label;

    private RelabelTree(String label) {
        // The kernel's own tools store it with the zero at its end.
        this.label = (label + "\0").getBytes(StandardCharsets.UTF_8);
    }

    /**
     * A file system that keeps no labels is left as it is.
     *
     * @param top a real path, not "/"
     */
    public static void at(Path top, String label) {
        RelabelTree tree = new RelabelTree(label);
        try (Fd parent = Fd.openDirectory(top.getParent())) {
            tree.entry(parent, Inodes.name(top.getFileName().toString()), 0);
        } catch (IOException e) {
            throw RuntimeFault.internal("label " + top + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void entry(Fd directory, byte[] name, int depth) throws IOException {
        try {
            byte[] now = Inodes.attribute(directory, name, Selinux.ATTRIBUTE).orElse(new byte[0]);
            if (!Arrays.equals(now, label)) {
                Inodes.setAttribute(directory, name, Selinux.ATTRIBUTE, label);
            }
            boolean below = Inodes.status(directory, name).map(Inodes.Status::isDirectory).orElse(false);
            if (below && depth < DEPTH_LIMIT) {
                try (Fd opened = RootedPath.openDirectory(directory, name, RootedPath.Escape.IS_REFUSED)) {
                    entries(opened, depth + 1);
                }
            }
        } catch (SystemCallFault fault) {
            boolean gone = fault.errno() == Errno.ENOENT || fault.errno() == Errno.ENOTDIR || fault.errno() == Errno.EXDEV;
            if (!gone && fault.errno() != Errno.EOPNOTSUPP && fault.errno() != Errno.EROFS) {
                throw fault;
            }
        }
    }

    private void entries(Fd directory, int depth) throws IOException {
        try (DirectoryStream<Path> names = Files.newDirectoryStream(directory.procPath())) {
            for (Path path : names) {
                entry(directory, RawName.of(path), depth);
            }
        }
    }
}
