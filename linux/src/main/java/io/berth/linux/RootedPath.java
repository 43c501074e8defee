package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Opens a path that somebody else chose (an image, a container, a subPath) inside a directory that is held open, so
 * that no symbolic link and no {@code ..} leads out of it, also when the tree changes meanwhile. Links of /proc are
 * never followed.
 *
 * <p>Thread-safe; the caller closes what is opened. Failures are {@link SystemCallFault}s. Source: openat2(2).
 */
public final class RootedPath {

    private static final int OPEN_HOW_BYTES = 24;
    private static final long NO_MAGIC_LINKS = 0x02;
    private static final int ATTEMPTS = 128;

    /** What happens at a path that points out of the directory. */
    public enum Escape {
        /** The directory is taken as the root, as chroot(2) does: {@code /x} is {@code x} in it, {@code ..} stays. */
        STAYS_IN_ROOT(0x10),
        /** The call fails with {@link Errno#EXDEV}. */
        IS_REFUSED(0x08);

        private final long resolve;

        Escape(long resolve) {
            this.resolve = resolve;
        }
    }

    private RootedPath() {}

    /** Opens a directory for listing and as the base of further calls. */
    public static Fd openDirectory(Fd root, byte[] path, Escape escape) {
        return open(root, path, Fd.O_RDONLY | Fd.O_DIRECTORY, escape);
    }

    /** Opens a directory, with {@code root} taken as the root of the path. */
    public static Fd openDirectory(Fd root, String path) {
        return openDirectory(root, Inodes.name(path), Escape.STAYS_IN_ROOT);
    }

    /**
     * Opens a file for reading, with {@code root} taken as the root of the path. Never waits for the writer of a fifo;
     * the caller checks with {@link Inodes#status(Fd)} that it is what it expects.
     */
    public static Fd openReadOnly(Fd root, String path) {
        return openReadOnly(root, Inodes.name(path));
    }

    /** As {@link #openReadOnly(Fd, String)} with a path in bytes, which need not be text. */
    public static Fd openReadOnly(Fd root, byte[] path) {
        return open(root, path, Fd.O_RDONLY | Fd.O_NONBLOCK, Escape.STAYS_IN_ROOT);
    }

    /**
     * Opens what is there, of whatever type, without access to its content: the safe source or target of a bind mount
     * through {@link Fd#procPath()}.
     */
    public static Fd openHandle(Fd root, String path) {
        return open(root, Inodes.name(path), Fd.O_PATH, Escape.STAYS_IN_ROOT);
    }

    /** As {@link #openHandle(Fd, String)} below a directory given by its path. */
    public static Fd openHandle(Path root, String path) {
        try (Fd base = Fd.openDirectory(root)) {
            return openHandle(base, path);
        }
    }

    /** As {@link #openReadOnly(Fd, String)} below a directory given by its path. */
    public static Fd openReadOnly(Path root, String path) {
        try (Fd base = Fd.openDirectory(root)) {
            return openReadOnly(base, path);
        }
    }

    private static Fd open(Fd root, byte[] path, int flags, Escape escape) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment how = arena.allocate(OPEN_HOW_BYTES, 8);
            how.set(ValueLayout.JAVA_LONG, 0, flags | Fd.O_CLOEXEC);
            how.set(ValueLayout.JAVA_LONG, 16, escape.resolve | NO_MAGIC_LINKS);
            long text = Inodes.text(arena, path.length == 0 ? new byte[] {'.'} : path);
            long result = -Errno.EAGAIN;
            // The kernel gives up with EAGAIN when something in the system is renamed while it resolves "..".
            for (int i = 0; i < ATTEMPTS && (result == -Errno.EAGAIN || result == -Errno.EINTR); i++) {
                result = Kernel.tryCall(SystemCall.OPENAT2, root.number(), text, how.address(), OPEN_HOW_BYTES);
            }
            return new Fd((int) Kernel.check(result, "open", Inodes.shown(path)));
        }
    }
}
