package io.berth.linux;

import java.util.Map;
import java.util.Optional;

/**
 * Processor time of a cgroup since it was made, in nanoseconds.
 *
 * @param nanos all of it
 * @param userNanos in user mode
 * @param systemNanos in the kernel
 * @param periods enforcement periods of a quota that have passed
 * @param throttledPeriods those in which the quota was used up
 * @param throttledNanos for how long processes waited for the next period
 */
public record CgroupCpu(long nanos, long userNanos, long systemNanos, long periods, long throttledPeriods,
        long throttledNanos) {

    /** cpuacct.stat counts in ticks of USER_HZ, which is 100 for every program. */
    private static final long NANOS_A_TICK = 10_000_000;

    /** Reads {@code group}; empty when it does not exist. Source: cgroup-v2, cpu.stat; cgroup-v1, cpuacct. */
    static Optional<CgroupCpu> read(Cgroups cgroups, String group) {
        return cgroups.isUnified() ? readUnified(cgroups, group) : readByController(cgroups, group);
    }

    private static Optional<CgroupCpu> readUnified(Cgroups cgroups, String group) {
        return cgroups.read("cpu", group, "cpu.stat").map(text -> {
            Map<String, Long> stat = CgroupText.table(Optional.of(text));
            return new CgroupCpu(stat.getOrDefault("usage_usec", 0L) * 1000, stat.getOrDefault("user_usec", 0L) * 1000,
                    stat.getOrDefault("system_usec", 0L) * 1000, stat.getOrDefault("nr_periods", 0L),
                    stat.getOrDefault("nr_throttled", 0L), stat.getOrDefault("throttled_usec", 0L) * 1000);
        });
    }

    private static Optional<CgroupCpu> readByController(Cgroups cgroups, String group) {
        Optional<String> usage = cgroups.read("cpuacct", group, "cpuacct.usage");
        if (usage.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Long> ticks = CgroupText.table(cgroups.read("cpuacct", group, "cpuacct.stat"));
        long user = CgroupText.number(cgroups.read("cpuacct", group, "cpuacct.usage_user"))
                .orElseGet(() -> ticks.getOrDefault("user", 0L) * NANOS_A_TICK);
        long system = CgroupText.number(cgroups.read("cpuacct", group, "cpuacct.usage_sys"))
                .orElseGet(() -> ticks.getOrDefault("system", 0L) * NANOS_A_TICK);
        Map<String, Long> quota = CgroupText.table(cgroups.read("cpu", group, "cpu.stat"));
        return Optional.of(new CgroupCpu(CgroupText.number(usage).orElse(0), user, system,
                quota.getOrDefault("nr_periods", 0L), quota.getOrDefault("nr_throttled", 0L),
                quota.getOrDefault("throttled_time", 0L)));
    }

    CgroupCpu plus(CgroupCpu other) {
        return new CgroupCpu(nanos + other.nanos, userNanos + other.userNanos, systemNanos + other.systemNanos,
                periods + other.periods, throttledPeriods + other.throttledPeriods, throttledNanos + other.throttledNanos);
    }
}
