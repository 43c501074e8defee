package io.berth.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Mount options as mount(8) takes them, told apart into what the kernel wants as flags and what is the file system's own.
 * Source: mount(8), "Filesystem-independent mount options"; {@code linux/mount.h}.
 *
 * @param flags of mount(2)
 * @param data options of the file system, in their order
 */
public record MountOptions(long flags, List<String> data) {

    public static final long BIND = 4096;
    public static final long RECURSIVE = 16384;

    private static final Map<String, Long> FLAGS = Map.ofEntries(Map.entry("ro", Mounts.MS_RDONLY), Map.entry("rw", 0L),
            Map.entry("nosuid", Mounts.MS_NOSUID), Map.entry("suid", 0L), Map.entry("nodev", Mounts.MS_NODEV),
            Map.entry("dev", 0L), Map.entry("noexec", Mounts.MS_NOEXEC), Map.entry("exec", 0L), Map.entry("sync", 16L),
            Map.entry("async", 0L), Map.entry("dirsync", 128L), Map.entry("noatime", 1024L), Map.entry("atime", 0L),
            Map.entry("nodiratime", 2048L), Map.entry("diratime", 0L), Map.entry("bind", BIND),
            Map.entry("rbind", BIND | RECURSIVE), Map.entry("relatime", 1L << 21), Map.entry("strictatime", 1L << 24),
            Map.entry("defaults", 0L));

    public MountOptions {
        data = List.copyOf(data);
    }

    public static MountOptions parse(List<String> options) {
        long flags = 0;
        List<String> data = new ArrayList<>();
        for (String option : options) {
            Long flag = FLAGS.get(option);
            if (flag == null) {
                data.add(option);
            } else {
                flags |= flag;
            }
        }
        return new MountOptions(flags, data);
    }

    public boolean isReadOnly() {
        return (flags & Mounts.MS_RDONLY) != 0;
    }
}
