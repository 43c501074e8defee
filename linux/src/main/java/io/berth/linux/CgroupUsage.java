package io.berth.linux;

import java.util.Optional;

/**
 * What the processes of a cgroup and of those below it use now.
 *
 * @param cpuPressure how long they waited for processors; empty where the kernel does not tell
 * @param memoryPressure for memory
 * @param ioPressure for block devices
 */
public record CgroupUsage(CgroupCpu cpu, CgroupMemory memory, Optional<Pressure> cpuPressure,
        Optional<Pressure> memoryPressure, Optional<Pressure> ioPressure) {

    /** Reads {@code group}; empty when it does not exist. */
    public static Optional<CgroupUsage> read(Cgroups cgroups, String group) {
        Optional<CgroupCpu> cpu = CgroupCpu.read(cgroups, group);
        Optional<CgroupMemory> memory = CgroupMemory.read(cgroups, group);
        if (cpu.isEmpty() || memory.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new CgroupUsage(cpu.get(), memory.get(), Pressure.read(cgroups, group, "cpu"),
                Pressure.read(cgroups, group, "memory"), Pressure.read(cgroups, group, "io")));
    }

    /** The sum; pressures have none. */
    public CgroupUsage plus(CgroupUsage other) {
        return new CgroupUsage(cpu.plus(other.cpu), memory.plus(other.memory), Optional.empty(), Optional.empty(),
                Optional.empty());
    }

    /** How often the kernel has killed a process of {@code group} for want of memory; 0 when that is unknown. */
    public static long oomKills(Cgroups cgroups, String group) {
        String file = cgroups.isUnified() ? "memory.events" : "memory.oom_control";
        return CgroupText.table(cgroups.read("memory", group, file)).getOrDefault("oom_kill", 0L);
    }
}
