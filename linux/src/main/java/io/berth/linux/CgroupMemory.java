package io.berth.linux;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Memory of a cgroup and of those below it, in bytes. Figures that only some kernels give are optional.
 *
 * @param usage all that is charged, with the page cache
 * @param workingSet what cannot be reclaimed easily: usage less the inactive page cache
 * @param rss anonymous memory
 * @param cache the page cache
 * @param mappedFile the part of the cache that is mapped
 * @param pageFaults since the group was made
 * @param limit empty where there is none
 * @param peak the highest usage
 * @param kernel what the kernel itself took for the group
 * @param failures how often usage met the limit
 * @param swapUsage empty where the kernel does not account swap
 */
public record CgroupMemory(long usage, long workingSet, long rss, long cache, long mappedFile, long activeFile,
        long inactiveFile, long pageFaults, long majorPageFaults, OptionalLong limit, OptionalLong peak,
        OptionalLong kernel, OptionalLong failures, OptionalLong swapUsage, OptionalLong swapLimit) {

    /** Reads {@code group}; empty when it does not exist. Source: cgroup-v2, Memory; cgroup-v1, memory. */
    static Optional<CgroupMemory> read(Cgroups cgroups, String group) {
        return cgroups.isUnified() ? readUnified(cgroups, group) : readByController(cgroups, group);
    }

    private static Optional<CgroupMemory> readUnified(Cgroups cgroups, String group) {
        Optional<String> current = cgroups.read("memory", group, "memory.current");
        if (current.isEmpty()) {
            return Optional.empty();
        }
        long usage = CgroupText.number(current).orElse(0);
        Map<String, Long> stat = CgroupText.table(cgroups.read("memory", group, "memory.stat"));
        Map<String, Long> events = CgroupText.table(cgroups.read("memory", group, "memory.events"));
        long inactive = stat.getOrDefault("inactive_file", 0L);
        return Optional.of(new CgroupMemory(usage, Math.max(0, usage - inactive), stat.getOrDefault("anon", 0L),
                stat.getOrDefault("file", 0L), stat.getOrDefault("file_mapped", 0L), stat.getOrDefault("active_file", 0L),
                inactive, stat.getOrDefault("pgfault", 0L), stat.getOrDefault("pgmajfault", 0L),
                CgroupText.number(cgroups.read("memory", group, "memory.max")),
                CgroupText.number(cgroups.read("memory", group, "memory.peak")), kernel(stat),
                CgroupText.entry(events, "max"), CgroupText.number(cgroups.read("memory", group, "memory.swap.current")),
                CgroupText.number(cgroups.read("memory", group, "memory.swap.max"))));
    }

    // One figure since Linux 5.18, before that its parts.
    private static OptionalLong kernel(Map<String, Long> stat) {
        OptionalLong whole = CgroupText.entry(stat, "kernel");
        return whole.isPresent() ? whole
                : OptionalLong.of(stat.getOrDefault("kernel_stack", 0L) + stat.getOrDefault("slab", 0L)
                        + stat.getOrDefault("sock", 0L));
    }

    private static Optional<CgroupMemory> readByController(Cgroups cgroups, String group) {
        Optional<String> current = cgroups.read("memory", group, "memory.usage_in_bytes");
        if (current.isEmpty()) {
            return Optional.empty();
        }
        long usage = CgroupText.number(current).orElse(0);
        Map<String, Long> stat = CgroupText.table(cgroups.read("memory", group, "memory.stat"));
        long inactive = stat.getOrDefault("total_inactive_file", 0L);
        OptionalLong limit = CgroupText.number(cgroups.read("memory", group, "memory.limit_in_bytes"));
        // With swap these count memory and swap together.
        OptionalLong both = CgroupText.number(cgroups.read("memory", group, "memory.memsw.usage_in_bytes"));
        OptionalLong bothLimit = CgroupText.number(cgroups.read("memory", group, "memory.memsw.limit_in_bytes"));
        return Optional.of(new CgroupMemory(usage, Math.max(0, usage - inactive), stat.getOrDefault("total_rss", 0L),
                stat.getOrDefault("total_cache", 0L), stat.getOrDefault("total_mapped_file", 0L),
                stat.getOrDefault("total_active_file", 0L), inactive, stat.getOrDefault("total_pgfault", 0L),
                stat.getOrDefault("total_pgmajfault", 0L), limit,
                CgroupText.number(cgroups.read("memory", group, "memory.max_usage_in_bytes")),
                CgroupText.number(cgroups.read("memory", group, "memory.kmem.usage_in_bytes")),
                CgroupText.number(cgroups.read("memory", group, "memory.failcnt")),
                both.isPresent() ? OptionalLong.of(Math.max(0, both.getAsLong() - usage)) : OptionalLong.empty(),
                limit.isPresent() && bothLimit.isPresent()
                        ? OptionalLong.of(Math.max(0, bothLimit.getAsLong() - limit.getAsLong())) : OptionalLong.empty()));
    }

    // Limits and peaks of parts say nothing about the whole.
    CgroupMemory plus(CgroupMemory other) {
        return new CgroupMemory(usage + other.usage, workingSet + other.workingSet, rss + other.rss, cache + other.cache,
                mappedFile + other.mappedFile, activeFile + other.activeFile, inactiveFile + other.inactiveFile,
                pageFaults + other.pageFaults, majorPageFaults + other.majorPageFaults, OptionalLong.empty(),
                OptionalLong.empty(), sum(kernel, other.kernel), sum(failures, other.failures),
                sum(swapUsage, other.swapUsage), OptionalLong.empty());
    }

    private static OptionalLong sum(OptionalLong a, OptionalLong b) {
        return a.isPresent() && b.isPresent() ? OptionalLong.of(a.getAsLong() + b.getAsLong()) : OptionalLong.empty();
    }
}
