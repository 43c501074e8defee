package io.berth.linux;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What the processes of a cgroup use now. Bytes for memory, nanoseconds for time.
 *
 * @param cpuNanos processor time since the group was made
 * @param memoryUsage with the page cache
 * @param workingSet memory that cannot be reclaimed easily: usage less the inactive page cache
 * @param rss anonymous memory
 * @param memoryLimit empty where there is none
 * @param swapUsage empty where the kernel does not account swap
 */
public record CgroupUsage(long cpuNanos, long memoryUsage, long workingSet, long rss, long pageFaults,
        long majorPageFaults, OptionalLong memoryLimit, OptionalLong swapUsage, OptionalLong swapLimit, long processes) {

    /** Version 1 writes "no limit" as a number near the largest page-aligned one. */
    private static final long NO_LIMIT_FROM = 1L << 60;

    /** Reads {@code group}; empty when it does not exist. */
    public static Optional<CgroupUsage> read(Cgroups cgroups, String group) {
        return cgroups.isUnified() ? readUnified(cgroups, group) : readByController(cgroups, group);
    }

    private static Optional<CgroupUsage> readUnified(Cgroups cgroups, String group) {
        Optional<String> stat = cgroups.read("cpu", group, "cpu.stat");
        if (stat.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Long> memory = table(cgroups.read("memory", group, "memory.stat"));
        long usage = number(cgroups.read("memory", group, "memory.current")).orElse(0);
        return Optional.of(new CgroupUsage(table(stat).getOrDefault("usage_usec", 0L) * 1000, usage,
                Math.max(0, usage - memory.getOrDefault("inactive_file", 0L)), memory.getOrDefault("anon", 0L),
                memory.getOrDefault("pgfault", 0L), memory.getOrDefault("pgmajfault", 0L),
                number(cgroups.read("memory", group, "memory.max")),
                number(cgroups.read("memory", group, "memory.swap.current")),
                number(cgroups.read("memory", group, "memory.swap.max")),
                number(cgroups.read("pids", group, "pids.current")).orElse(0)));
    }

    private static Optional<CgroupUsage> readByController(Cgroups cgroups, String group) {
        Optional<String> cpu = cgroups.read("cpuacct", group, "cpuacct.usage");
        Optional<String> used = cgroups.read("memory", group, "memory.usage_in_bytes");
        if (cpu.isEmpty() && used.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Long> memory = table(cgroups.read("memory", group, "memory.stat"));
        long usage = number(used).orElse(0);
        OptionalLong both = number(cgroups.read("memory", group, "memory.memsw.usage_in_bytes"));
        OptionalLong limit = number(cgroups.read("memory", group, "memory.limit_in_bytes"));
        OptionalLong bothLimit = number(cgroups.read("memory", group, "memory.memsw.limit_in_bytes"));
        return Optional.of(new CgroupUsage(number(cpu).orElse(0), usage,
                Math.max(0, usage - memory.getOrDefault("total_inactive_file", 0L)), memory.getOrDefault("total_rss", 0L),
                memory.getOrDefault("total_pgfault", 0L), memory.getOrDefault("total_pgmajfault", 0L), limit,
                both.isPresent() ? OptionalLong.of(Math.max(0, both.getAsLong() - usage)) : OptionalLong.empty(),
                limit.isPresent() && bothLimit.isPresent()
                        ? OptionalLong.of(bothLimit.getAsLong() - limit.getAsLong()) : OptionalLong.empty(),
                number(cgroups.read("pids", group, "pids.current")).orElse(0)));
    }

    /** How often the kernel has killed a process of {@code group} for want of memory; 0 when that is unknown. */
    public static long oomKills(Cgroups cgroups, String group) {
        String file = cgroups.isUnified() ? "memory.events" : "memory.oom_control";
        return table(cgroups.read("memory", group, file)).getOrDefault("oom_kill", 0L);
    }

    private static OptionalLong number(Optional<String> text) {
        if (text.isEmpty() || !text.get().matches("[0-9]{1,19}")) {
            return OptionalLong.empty();
        }
        long value = Long.parseUnsignedLong(text.get());
        return value < 0 || value >= NO_LIMIT_FROM ? OptionalLong.empty() : OptionalLong.of(value);
    }

    private static Map<String, Long> table(Optional<String> text) {
        return text.stream().flatMap(String::lines).map(line -> line.split(" "))
                .filter(fields -> fields.length == 2 && fields[1].matches("[0-9]{1,18}"))
                .collect(Collectors.toMap(fields -> fields[0], fields -> Long.parseLong(fields[1]), (a, b) -> a));
    }
}
