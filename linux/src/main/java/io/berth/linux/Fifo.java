package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Named pipes between Berth and another program. Opening one never waits for the other side. Stateless. Source: fifo(7).
 */
public final class Fifo {

    private static final int F_SETFL = 4;
    private static final int O_WRONLY = 1;

    private Fifo() {}

    /** Makes one that only root may use; fine when it is there. */
    public static void make(Path path) {
        if (Files.exists(path)) {
            return;
        }
        try (Fd directory = Fd.openDirectory(path.getParent())) {
            Inodes.makeNode(directory, Inodes.name(path.getFileName().toString()), Inodes.FIFO | 0600, 0, 0);
        }
    }

    /**
     * The reading side. Before the writer has opened the pipe a read would tell its end, so the caller reads only after it
     * knows that the writer has. The caller owns the descriptor.
     */
    public static Fd openReader(Path path) {
        return blocking(Fd.open(path, Fd.O_RDONLY | Fd.O_NONBLOCK | Fd.O_NOFOLLOW, 0), Fd.O_RDONLY, path);
    }

    /** Both sides, which keeps what is written until the reader is there. The caller owns the descriptor. */
    public static Fd openBoth(Path path) {
        return Fd.open(path, Fd.O_RDWR | Fd.O_NOFOLLOW, 0);
    }

    /** The writing side, or empty when nobody has the reading side open. The caller owns the descriptor. */
    public static Optional<Fd> openWriter(Path path) {
        try {
            return Optional.of(blocking(Fd.open(path, O_WRONLY | Fd.O_NONBLOCK | Fd.O_NOFOLLOW, 0), O_WRONLY, path));
        } catch (SystemCallFault fault) {
            if (fault.errno() == Errno.ENXIO) {
                return Optional.empty();
            }
            throw fault;
        }
    }

    private static Fd blocking(Fd fd, int flags, Path path) {
        try {
            Kernel.check(Kernel.tryCall(SystemCall.FCNTL, fd.number(), F_SETFL, flags, 0), "set flags of", path);
            return fd;
        } catch (RuntimeFault failure) {
            fd.close();
            throw failure;
        }
    }
}
