package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Makes, changes and removes the entries of a directory that is held open, by their bare name: no path is walked, so
 * that nothing outside of the directory can be reached through a symbolic link or {@code ..}. A name is the bytes that
 * the file system holds, not text in an encoding; a name with a slash, {@code .} or {@code ..} is refused by
 * {@link #checkName}. No method follows a symbolic link in the name itself, save {@link #changeMode}.
 *
 * <p>Thread-safe; calls may wait for the disk. Failures are {@link SystemCallFault}s. Source: mknod(2), chown(2),
 * xattr(7), utimensat(2), statx(2).
 */
public final class Inodes {

    /** File types within a mode, from inode(7). */
    public static final int TYPE_MASK = 0170000;

    public static final int SOCKET = 0140000;
    public static final int SYMLINK = 0120000;
    public static final int REGULAR = 0100000;
    public static final int BLOCK_DEVICE = 0060000;
    public static final int DIRECTORY = 0040000;
    public static final int CHARACTER_DEVICE = 0020000;
    public static final int FIFO = 0010000;

    private static final int O_WRONLY = 1;
    private static final int O_EXCL = 0200;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC = 0x7ff;
    private static final int STATX_BYTES = 256;
    private static final int ATTRIBUTE_MAX = 65536;
    private static final int ENODATA = 61;
    private static final int PATH_MAX = 4096;

    private Inodes() {}

    /**
     * What statx(2) says of an inode.
     *
     * @param mode type and permissions
     * @param deviceMajor of the device that a device node stands for
     */
    public record Status(int mode, int uid, int gid, long links, long sizeBytes, long allocatedBytes, long inode,
            long modifiedSeconds, int modifiedNanos, int deviceMajor, int deviceMinor) {

        public int type() {
            return mode & TYPE_MASK;
        }

        public boolean isDirectory() {
            return type() == DIRECTORY;
        }

        /** Whether this is overlayfs' mark of a deleted name: a character device 0/0. */
        public boolean isWhiteout() {
            return type() == CHARACTER_DEVICE && deviceMajor == 0 && deviceMinor == 0;
        }
    }

    /** The bytes of a name or path given as text, in UTF-8. */
    public static byte[] name(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Makes a directory with {@code mode}, less the process' umask: {@link #changeMode} follows where it matters. */
    public static void makeDirectory(Fd directory, byte[] name, int mode) {
        named(SystemCall.MKDIRAT, "make directory", directory, name, mode, 0, 0);
    }

    /** Makes a device node, fifo or socket; {@code mode} has the type in it. */
    public static void makeNode(Fd directory, byte[] name, int mode, int major, int minor) {
        long device = (minor & 0xffL) | (major & 0xfffL) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
        named(SystemCall.MKNODAT, "make node", directory, name, mode, device, 0);
    }

    /** Makes a symbolic link that holds {@code target}, which is neither checked nor resolved. */
    public static void makeSymlink(byte[] target, Fd directory, byte[] name) {
        checkName(name);
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.SYMLINKAT, text(arena, target), directory.number(),
                    text(arena, name), 0);
            Kernel.check(result, "make symbolic link", shown(name));
        }
    }

    /** Makes a hard link to the inode {@code from} itself, also when it is a symbolic link. */
    public static void makeLink(Fd fromDirectory, byte[] from, Fd directory, byte[] name) {
        checkName(from);
        checkName(name);
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.LINKAT, fromDirectory.number(), text(arena, from),
                    directory.number(), text(arena, name), 0, 0);
            Kernel.check(result, "make hard link", shown(name));
        }
    }

    /** Creates a regular file that must not exist and opens it for writing; the caller closes it. */
    public static Fd createFile(Fd directory, byte[] name, int mode) {
        int flags = O_WRONLY | Fd.O_CREAT | O_EXCL | Fd.O_NOFOLLOW | Fd.O_CLOEXEC;
        return new Fd((int) named(SystemCall.OPENAT, "create file", directory, name, flags, mode, 0));
    }

    /** As {@link #createFile}, but empty when something of that name is there. */
    public static Optional<Fd> createNew(Fd directory, byte[] name, int mode) {
        checkName(name);
        int flags = O_WRONLY | Fd.O_CREAT | O_EXCL | Fd.O_NOFOLLOW | Fd.O_CLOEXEC;
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.OPENAT, directory.number(), text(arena, name), flags, mode);
            return result == -Errno.EEXIST ? Optional.empty()
                    : Optional.of(new Fd((int) Kernel.check(result, "create file", shown(name))));
        }
    }

    /**
     * Creates a file for reading and writing that no name leads to any more: it is gone when the caller closes it.
     *
     * @param directory in whose file system its bytes are, which need not know files that never had a name
     * @param name free in the directory, for a moment
     */
    public static Fd createUnnamed(Fd directory, byte[] name) {
        int flags = Fd.O_RDWR | Fd.O_CREAT | O_EXCL | Fd.O_NOFOLLOW | Fd.O_CLOEXEC;
        Fd file = new Fd((int) named(SystemCall.OPENAT, "create file", directory, name, flags, 0600, 0));
        try {
            removeFile(directory, name);
            return file;
        } catch (RuntimeException failed) {
            file.close();
            throw failed;
        }
    }

    /** Removes a name that is not a directory. */
    public static void removeFile(Fd directory, byte[] name) {
        named(SystemCall.UNLINKAT, "remove file", directory, name, 0, 0, 0);
    }

    /** Removes an empty directory. */
    public static void removeDirectory(Fd directory, byte[] name) {
        named(SystemCall.UNLINKAT, "remove directory", directory, name, AT_REMOVEDIR, 0, 0);
    }

    /** Gives the entry to an owner, by number; clears setuid bits and file capabilities of a regular file. */
    public static void changeOwner(Fd directory, byte[] name, int uid, int gid) {
        named(SystemCall.FCHOWNAT, "change owner of", directory, name, uid, gid, AT_SYMLINK_NOFOLLOW);
    }

    /** Sets the permission bits. Follows a symbolic link: the caller knows that {@code name} is none. */
    public static void changeMode(Fd directory, byte[] name, int mode) {
        named(SystemCall.FCHMODAT, "change mode of", directory, name, mode & 07777, 0, 0);
    }

    /** Gives the open file to an owner, by number. */
    public static void changeOwner(Fd file, int uid, int gid) {
        Kernel.check(Kernel.tryCall(SystemCall.FCHOWN, file.number(), uid, gid, 0), "change owner of", file.procPath());
    }

    /** Sets the permission bits of the open file. */
    public static void changeMode(Fd file, int mode) {
        Kernel.check(Kernel.tryCall(SystemCall.FCHMOD, file.number(), mode & 07777), "change mode of", file.procPath());
    }

    /** Sets the times of last access and modification to one value. */
    public static void setTimes(Fd directory, byte[] name, long seconds, int nanos) {
        checkName(name);
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.UTIMENSAT, directory.number(), text(arena, name),
                    times(arena, seconds, nanos), AT_SYMLINK_NOFOLLOW);
            Kernel.check(result, "set times of", shown(name));
        }
    }

    /** Sets the times of the open file. */
    public static void setTimes(Fd file, long seconds, int nanos) {
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.UTIMENSAT, file.number(), 0, times(arena, seconds, nanos), 0);
            Kernel.check(result, "set times of", file.procPath());
        }
    }

    /** What a symbolic link holds; empty when the name is missing or no symbolic link. */
    public static Optional<byte[]> linkTarget(Fd directory, byte[] name) {
        checkName(name);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(PATH_MAX);
            long result = Kernel.tryCall(SystemCall.READLINKAT, directory.number(), text(arena, name), bytes.address(),
                    PATH_MAX);
            if (result == -Errno.EINVAL || result == -Errno.ENOENT) {
                return Optional.empty();
            }
            Kernel.check(result, "read symbolic link", shown(name));
            return Optional.of(bytes.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /** Sets an extended attribute, of a symbolic link or device node too. */
    public static void setAttribute(Fd directory, byte[] name, String attribute, byte[] value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, value.length));
            MemorySegment.copy(value, 0, bytes, ValueLayout.JAVA_BYTE, 0, value.length);
            long result = Kernel.tryCall(SystemCall.LSETXATTR, reachable(arena, directory, name),
                    arena.allocateFrom(attribute).address(), bytes.address(), value.length, 0, 0);
            Kernel.check(result, "set attribute " + attribute + " of", shown(name));
        }
    }

    /** The value of an extended attribute, or empty when there is none or the file system has no such thing. */
    public static Optional<byte[]> attribute(Fd directory, byte[] name, String attribute) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(ATTRIBUTE_MAX);
            long result = Kernel.tryCall(SystemCall.LGETXATTR, reachable(arena, directory, name),
                    arena.allocateFrom(attribute).address(), bytes.address(), ATTRIBUTE_MAX);
            if (result == -ENODATA || result == -Errno.EOPNOTSUPP || result == -Errno.ENOENT) {
                return Optional.empty();
            }
            Kernel.check(result, "read attribute " + attribute + " of", shown(name));
            return Optional.of(bytes.asSlice(0, result).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /** Removes an extended attribute; whether there was one. */
    public static boolean removeAttribute(Fd directory, byte[] name, String attribute) {
        try (Arena arena = Arena.ofConfined()) {
            long result = Kernel.tryCall(SystemCall.LREMOVEXATTR, reachable(arena, directory, name),
                    arena.allocateFrom(attribute).address(), 0, 0);
            if (result == -ENODATA || result == -Errno.EOPNOTSUPP || result == -Errno.ENOENT) {
                return false;
            }
            Kernel.check(result, "remove attribute " + attribute + " of", shown(name));
            return true;
        }
    }

    /** What is known of the entry, or empty when there is none. */
    public static Optional<Status> status(Fd directory, byte[] name) {
        checkName(name);
        return statx(directory, name, AT_SYMLINK_NOFOLLOW);
    }

    /** What is known of the open file or directory. */
    public static Status status(Fd file) {
        return statx(file, new byte[0], AT_EMPTY_PATH).orElseThrow();
    }

    /** Waits until everything of the open file is on the disk. */
    public static void sync(Fd file) {
        Kernel.check(Kernel.tryCall(SystemCall.FSYNC, file.number(), 0), "sync", file.procPath());
    }

    /** Waits until everything of the file system that {@code file} is on is on the disk. */
    public static void syncFileSystem(Fd file) {
        Kernel.check(Kernel.tryCall(SystemCall.SYNCFS, file.number(), 0), "sync file system of", file.procPath());
    }

    /** Refuses a name that is empty, {@code .}, {@code ..}, too long, or that has a slash or a zero byte in it. */
    public static void checkName(byte[] name) {
        boolean dots = name.length == 1 && name[0] == '.' || name.length == 2 && name[0] == '.' && name[1] == '.';
        boolean bad = name.length == 0 || name.length > 255 || dots;
        for (byte b : name) {
            bad |= b == '/' || b == 0;
        }
        if (bad) {
            throw new SystemCallFault("use as a file name", shown(name),
                    name.length > 255 ? Errno.ENAMETOOLONG : Errno.EINVAL);
        }
    }

    private static Optional<Status> statx(Fd directory, byte[] name, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate(STATX_BYTES, 8);
            long result = Kernel.tryCall(SystemCall.STATX, directory.number(), text(arena, name), flags, STATX_BASIC,
                    s.address(), 0);
            if (result == -Errno.ENOENT) {
                return Optional.empty();
            }
            Kernel.check(result, "read status of", shown(name));
            return Optional.of(new Status(s.get(ValueLayout.JAVA_SHORT, 28) & 0xffff, s.get(ValueLayout.JAVA_INT, 20),
                    s.get(ValueLayout.JAVA_INT, 24), Integer.toUnsignedLong(s.get(ValueLayout.JAVA_INT, 16)),
                    s.get(ValueLayout.JAVA_LONG, 40), s.get(ValueLayout.JAVA_LONG, 48) * 512,
                    s.get(ValueLayout.JAVA_LONG, 32), s.get(ValueLayout.JAVA_LONG, 112),
                    s.get(ValueLayout.JAVA_INT, 120), s.get(ValueLayout.JAVA_INT, 128),
                    s.get(ValueLayout.JAVA_INT, 132)));
        }
    }

    private static long named(SystemCall call, String action, Fd directory, byte[] name, long a, long b, long c) {
        checkName(name);
        try (Arena arena = Arena.ofConfined()) {
            return Kernel.check(
                    Kernel.tryCall(call, directory.number(), text(arena, name), a, b, c, 0), action, shown(name));
        }
    }

    /** xattr calls take no directory descriptor; /proc leads to the open directory, and the last name is not followed. */
    private static long reachable(Arena arena, Fd directory, byte[] name) {
        checkName(name);
        byte[] prefix = (directory.procPath() + "/").getBytes(StandardCharsets.UTF_8);
        byte[] path = new byte[prefix.length + name.length];
        System.arraycopy(prefix, 0, path, 0, prefix.length);
        System.arraycopy(name, 0, path, prefix.length, name.length);
        return text(arena, path);
    }

    private static long times(Arena arena, long seconds, int nanos) {
        MemorySegment spec = arena.allocate(32, 8);
        for (int at = 0; at < 32; at += 16) {
            spec.set(ValueLayout.JAVA_LONG, at, seconds);
            spec.set(ValueLayout.JAVA_LONG, at + 8, nanos);
        }
        return spec.address();
    }

    static long text(Arena arena, byte[] bytes) {
        MemorySegment segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment.address();
    }

    /** A name as it is put into messages: hostile bytes must not reach a log or terminal. */
    static String shown(byte[] name) {
        StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < Math.min(name.length, 200); i++) {
            int b = name[i] & 0xff;
            text.append(b >= 0x20 && b < 0x7f ? String.valueOf((char) b) : String.format("\\x%02x", b));
        }
        return text.append(name.length > 200 ? "…\"" : "\"").toString();
    }
}
