package io.berth.runtime;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Names of capabilities. Source: capabilities(7). */
public final class Capabilities {

    /** What a container has unless it asks for something else; the same as the peers. */
    public static final List<String> DEFAULT = List.of("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER",
            "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
            "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE");

    /** By number: the position is the bit. */
    private static final List<String> ALL = List.of("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
            "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
            "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
            "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
            "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
            "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN",
            "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
            "CAP_CHECKPOINT_RESTORE");

    /** The last ones, which runtimes of before 2020 may not know. */
    static final Set<String> SINCE_5_8 = Set.of("CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE");

    private Capabilities() {}

    /**
     * All capabilities that this process may hand on: what is beyond its own bounding set cannot be given to a container.
     */
    public static List<String> available() {
        long bounding = boundingSet();
        return java.util.stream.IntStream.range(0, ALL.size()).filter(bit -> (bounding & 1L << bit) != 0)
                .mapToObj(ALL::get).toList();
    }

    /** The set of capabilities with these full names as the kernel writes it; unknown names are not in it. */
    public static long mask(List<String> names) {
        return names.stream().mapToInt(ALL::indexOf).filter(bit -> bit >= 0).mapToLong(bit -> 1L << bit)
                .reduce(0, (a, b) -> a | b);
    }

    /** The names in such a set; {@code CAP_} and the number for one that has no name here. */
    public static List<String> names(long mask) {
        return java.util.stream.IntStream.range(0, Long.SIZE).filter(bit -> (mask & 1L << bit) != 0)
                .mapToObj(bit -> bit < ALL.size() ? ALL.get(bit) : "CAP_" + bit).toList();
    }

    private static long boundingSet() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("CapBnd:"))
                    .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16)).findFirst().orElse(-1L);
        } catch (IOException e) {
            throw RuntimeFault.internal("read own capabilities: " + RuntimeFault.reason(e), e);
        }
    }

    /** The full name for {@code NET_ADMIN}, {@code cap_net_admin} or {@code CAP_NET_ADMIN}. */
    public static String named(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        String name = upper.startsWith("CAP_") ? upper : "CAP_" + upper;
        if (!ALL.contains(name)) {
            throw RuntimeFault.invalid("use capability " + text + ": there is none of that name");
        }
        return name;
    }
}
