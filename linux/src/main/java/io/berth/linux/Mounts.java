package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Mounts and unmounts in this process's mount namespace. Stateless, thread-safe. Source: mount(2), fsopen(2). */
public final class Mounts {

    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    public static final long MS_NOEXEC = 8;
    private static final long MS_REMOUNT = 32;
    private static final long MS_BIND = MountOptions.BIND;
    private static final long MS_REC = MountOptions.RECURSIVE;
    private static final long MS_PRIVATE = 1 << 18;
    private static final long MS_SHARED = 1 << 20;
    private static final int MNT_DETACH = 2;
    private static final int UMOUNT_NOFOLLOW = 8;
    /** mount(2) copies at most a page of options. */
    private static final int OPTIONS_LIMIT = 4000;
    private static final int FSCONFIG_SET_FLAG = 0;
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSCONFIG_CMD_CREATE = 6;
    private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
    private static final int OPEN_TREE_CLONE = 1;
    private static final int AT_RECURSIVE = 0x8000;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final long MOUNT_ATTR_IDMAP = 0x00100000;

    private Mounts() {}

    /** Mounts a new file system of {@code type} at {@code target}. */
    public static void mount(String source, Path target, String type, long flags, String options) {
        try (Arena arena = Arena.ofConfined()) {
            Kernel.check(Kernel.tryCall(SystemCall.MOUNT,
                    arena.allocateFrom(source).address(), arena.allocateFrom(target.toString()).address(),
                    type.isEmpty() ? 0 : arena.allocateFrom(type).address(), flags,
                    options.isEmpty() ? 0 : arena.allocateFrom(options).address(), 0),
                    "mount " + (type.isEmpty() ? source : type) + " at", target);
        }
    }

    /** Binds {@code source} at {@code target}, without the mounts below it. */
    public static void bind(Path source, Path target) {
        mount(source.toString(), target, "", MS_BIND, "");
    }

    /** Makes the bind mount at {@code target} read-only. */
    public static void remountReadOnly(Path target) {
        mount("none", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY, "");
    }

    /** Keeps mounts below {@code target} from reaching other namespaces, and theirs from reaching it. */
    public static void makePrivate(Path target) {
        mount("none", target, "", MS_PRIVATE | MS_REC, "");
    }

    /** Makes {@code target} a shared mount, so that mounts below it reach its peers. */
    public static void makeShared(Path target) {
        mount("none", target, "", MS_SHARED | MS_REC, "");
    }

    /** A tmpfs without an SELinux label of its own. */
    public static void tmpfs(Path target, long bytes, int mode, long uid, long gid, long flags) {
        tmpfs(target, bytes, mode, uid, gid, flags, Optional.empty());
    }

    /**
     * A tmpfs of at most {@code bytes} that belongs to {@code uid} and {@code gid}.
     *
     * @param label the SELinux label that its files are seen with
     */
    public static void tmpfs(Path target, long bytes, int mode, long uid, long gid, long flags, Optional<String> label) {
        mount("tmpfs", target, "tmpfs", flags, "size=" + bytes + ",mode=" + Integer.toOctalString(mode) + ",uid=" + uid
                + ",gid=" + gid + label.map(text -> "," + quoted(labelOption(text))).orElse(""));
    }

    /** The mount option that shows all files with an SELinux label. */
    public static String labelOption(String label) {
        return "context=" + label;
    }

    // In one text of options a value with commas stands in quotes, which SELinux takes off.
    private static String quoted(String option) {
        int equals = option.indexOf('=');
        return option.indexOf(',') < 0 ? option : option.substring(0, equals + 1) + "\"" + option.substring(equals + 1) + "\"";
    }

    /**
     * Mounts an overlay.
     *
     * @param lower the layers, newest first; at least one
     * @param upper where changes go
     * @param work an empty directory beside {@code upper}
     * @param extraOptions further options of the overlay file system, such as {@code volatile}
     */
    public static void overlay(List<Path> lower, Path upper, Path work, Path target, List<String> extraOptions) {
        String layers = lower.stream().map(Mounts::escaped).collect(Collectors.joining(":"));
        StringBuilder options = new StringBuilder("lowerdir=").append(layers);
        options.append(",upperdir=").append(escaped(upper)).append(",workdir=").append(escaped(work));
        extraOptions.forEach(option -> options.append(',').append(quoted(option)));
        if (options.length() < OPTIONS_LIMIT) {
            mount("overlay", target, "overlay", 0, options.toString());
        } else {
            overlayByParts(lower, upper, work, target, extraOptions);
        }
    }

    /** Mounts a read-only overlay of several layers, newest first. */
    public static void overlayReadOnly(List<Path> lower, Path target, List<String> extraOptions) {
        StringBuilder options = new StringBuilder("lowerdir=");
        options.append(lower.stream().map(Mounts::escaped).collect(Collectors.joining(":")));
        extraOptions.forEach(option -> options.append(',').append(quoted(option)));
        if (options.length() < OPTIONS_LIMIT) {
            mount("overlay", target, "overlay", MS_RDONLY, options.toString());
        } else {
            overlayByParts(lower, null, null, target, extraOptions);
        }
    }

    // Many layers do not fit the one page of mount(2); the newer call takes them one by one (since Linux 6.5).
    private static void overlayByParts(List<Path> lower, Path upper, Path work, Path target, List<String> extra) {
        try (Arena arena = Arena.ofConfined()) {
            long type = arena.allocateFrom("overlay").address();
            try (Fd context = new Fd((int) Kernel.check(
                    Kernel.tryCall(SystemCall.FSOPEN, type, 1), "open file system", "overlay"))) {
                for (Path layer : lower) {
                    configure(arena, context, "lowerdir+", layer.toString());
                }
                if (upper != null) {
                    configure(arena, context, "upperdir", upper.toString());
                    configure(arena, context, "workdir", work.toString());
                }
                for (String option : extra) {
                    int equals = option.indexOf('=');
                    if (equals < 0) {
                        flag(arena, context, option);
                    } else {
                        configure(arena, context, option.substring(0, equals), option.substring(equals + 1));
                    }
                }
                Kernel.check(Kernel.tryCall(SystemCall.FSCONFIG, context.number(), FSCONFIG_CMD_CREATE, 0, 0),
                        "create overlay for", target);
                try (Fd mount = new Fd((int) Kernel.check(
                        Kernel.tryCall(SystemCall.FSMOUNT, context.number(), 1, 0, 0), "mount overlay for", target))) {
                    Kernel.check(Kernel.tryCall(SystemCall.MOVE_MOUNT, mount.number(), arena.allocateFrom("").address(),
                            Fd.AT_FDCWD, arena.allocateFrom(target.toString()).address(), MOVE_MOUNT_F_EMPTY_PATH, 0),
                            "mount overlay at", target);
                }
            }
        }
    }

    private static void flag(Arena arena, Fd context, String key) {
        Kernel.check(Kernel.tryCall(SystemCall.FSCONFIG, context.number(), FSCONFIG_SET_FLAG,
                arena.allocateFrom(key).address(), 0), "set overlay", key);
    }

    private static void configure(Arena arena, Fd context, String key, String value) {
        Kernel.check(Kernel.tryCall(SystemCall.FSCONFIG, context.number(), FSCONFIG_SET_STRING,
                arena.allocateFrom(key).address(), arena.allocateFrom(value).address()), "set overlay " + key, value);
    }

    /**
     * Mounts {@code source} with what is mounted below it at {@code target}, its owners shown through the maps of the user
     * namespace {@code userNamespace}. The kernel refuses it for file systems that do not know such mounts.
     */
    public static void bindMapped(Path source, Path target, Path userNamespace) {
        try (Arena arena = Arena.ofConfined(); Fd namespace = Fd.openReadOnly(userNamespace)) {
            try (Fd tree = new Fd((int) Kernel.check(Kernel.tryCall(SystemCall.OPEN_TREE, Fd.AT_FDCWD,
                    arena.allocateFrom(source.toString()).address(), OPEN_TREE_CLONE | Fd.O_CLOEXEC | AT_RECURSIVE, 0),
                    "clone mount", source))) {
                MemorySegment attributes = arena.allocate(32, 8);
                attributes.set(ValueLayout.JAVA_LONG, 0, MOUNT_ATTR_IDMAP);
                attributes.set(ValueLayout.JAVA_LONG, 24, namespace.number());
                long empty = arena.allocateFrom("").address();
                Kernel.check(Kernel.tryCall(SystemCall.MOUNT_SETATTR, tree.number(), empty, AT_EMPTY_PATH,
                        attributes.address(), 32, 0), "map the owners of", source);
                Kernel.check(Kernel.tryCall(SystemCall.MOVE_MOUNT, tree.number(), empty, Fd.AT_FDCWD,
                        arena.allocateFrom(target.toString()).address(), MOVE_MOUNT_F_EMPTY_PATH, 0), "mount at", target);
            }
        }
    }

    private static String escaped(Path path) {
        return path.toString().replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,");
    }

    /**
     * Unmounts {@code target}; a mount that is in use is detached and disappears with its last user. Nothing happens
     * where nothing is mounted.
     *
     * @return whether something was mounted there
     */
    public static boolean unmount(Path target) {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocateFrom(target.toString()).address();
            long result = Kernel.tryCall(SystemCall.UMOUNT2, address, UMOUNT_NOFOLLOW);
            if (result == -Errno.EBUSY) {
                result = Kernel.tryCall(SystemCall.UMOUNT2, address, UMOUNT_NOFOLLOW | MNT_DETACH);
            }
            if (result == -Errno.EINVAL || result == -Errno.ENOENT) {
                return false;
            }
            Kernel.check(result, "unmount", target);
            return true;
        }
    }

    /** Whether something is mounted at {@code target} itself. */
    public static boolean isMountPoint(Path target) {
        return at(target).stream().anyMatch(target.toAbsolutePath().normalize()::equals);
    }

    /** All mount points at or below {@code top}, deepest first. */
    public static List<Path> at(Path top) {
        Path wanted = top.toAbsolutePath().normalize();
        // A node with hundreds of pods has thousands of mounts: only the lines that may be meant are taken apart.
        String sign = " " + inTable(wanted);
        return lines().filter(line -> line.contains(sign)).map(Mounts::parse).map(MountPoint::target)
                .filter(path -> path.startsWith(wanted)).sorted((a, b) -> b.getNameCount() - a.getNameCount()).toList();
    }

    private static String inTable(Path path) {
        String bytes = new String(path.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        return bytes.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012");
    }

    /**
     * A line of the mount table.
     *
     * @param options the mount's optional fields, such as {@code shared:1}
     */
    public record MountPoint(Path target, String type, String source, List<String> options) {}

    /** This process's mounts, in the order of the kernel. Source: proc_pid_mountinfo(5). */
    public static List<MountPoint> table() {
        return lines().map(Mounts::parse).toList();
    }

    private static Stream<String> lines() {
        try {
            return Files.readString(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1).lines();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException("read the mount table", e);
        }
    }

    private static MountPoint parse(String line) {
        String[] fields = line.split(" ");
        int dash = 6;
        while (!fields[dash].equals("-")) {
            dash++;
        }
        String target = new String(unescaped(fields[4]).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        return new MountPoint(Path.of(target), fields[dash + 1], unescaped(fields[dash + 2]),
                List.of(fields).subList(6, dash));
    }

    private static String unescaped(String field) {
        if (field.indexOf('\\') < 0) {
            return field;
        }
        return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
    }
}
