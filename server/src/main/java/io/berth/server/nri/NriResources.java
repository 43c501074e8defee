package io.berth.server.nri;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.nri.v1.HugepageLimit;
import io.berth.nri.v1.LinuxCPU;
import io.berth.nri.v1.LinuxMemory;
import io.berth.nri.v1.LinuxResources;
import io.berth.nri.v1.OptionalInt64;
import io.berth.nri.v1.OptionalUInt64;
import java.util.ArrayList;
import java.util.List;

/** Limits in the words of the CRI and of NRI. In the CRI a field of 0 is one that is not set. */
final class NriResources {

    private NriResources() {}

    static LinuxResources of(LinuxContainerResources limits) {
        LinuxResources.Builder resources = LinuxResources.newBuilder();
        // There even when nothing is in it: plugins in Go look into it without asking.
        resources.getMemoryBuilder();
        if (limits.getCpuShares() != 0) {
            resources.getCpuBuilder().setShares(unsigned(limits.getCpuShares()));
        }
        if (limits.getCpuQuota() != 0) {
            resources.getCpuBuilder().setQuota(signed(limits.getCpuQuota()));
        }
        if (limits.getCpuPeriod() != 0) {
            resources.getCpuBuilder().setPeriod(unsigned(limits.getCpuPeriod()));
        }
        resources.getCpuBuilder().setCpus(limits.getCpusetCpus()).setMems(limits.getCpusetMems());
        if (limits.getMemoryLimitInBytes() != 0) {
            resources.getMemoryBuilder().setLimit(signed(limits.getMemoryLimitInBytes()));
        }
        if (limits.getMemorySwapLimitInBytes() != 0) {
            resources.getMemoryBuilder().setSwap(signed(limits.getMemorySwapLimitInBytes()));
        }
        limits.getHugepageLimitsList().forEach(each -> resources.addHugepageLimitsBuilder().setPageSize(each.getPageSize())
                .setLimit(each.getLimit()));
        resources.putAllUnified(limits.getUnifiedMap());
        return resources.build();
    }

    private static OptionalInt64 signed(long value) {
        return OptionalInt64.newBuilder().setValue(value).build();
    }

    private static OptionalUInt64 unsigned(long value) {
        return OptionalUInt64.newBuilder().setValue(value).build();
    }

    /** {@code limits} with what is set in {@code resources}, as far as the CRI has words for it. */
    static LinuxContainerResources over(LinuxContainerResources limits, LinuxResources resources) {
        LinuxContainerResources.Builder merged = limits.toBuilder();
        LinuxCPU cpu = resources.getCpu();
        if (cpu.hasShares()) {
            merged.setCpuShares(cpu.getShares().getValue());
        }
        if (cpu.hasQuota()) {
            merged.setCpuQuota(cpu.getQuota().getValue());
        }
        if (cpu.hasPeriod()) {
            merged.setCpuPeriod(cpu.getPeriod().getValue());
        }
        if (!cpu.getCpus().isEmpty()) {
            merged.setCpusetCpus(cpu.getCpus());
        }
        if (!cpu.getMems().isEmpty()) {
            merged.setCpusetMems(cpu.getMems());
        }
        LinuxMemory memory = resources.getMemory();
        if (memory.hasLimit()) {
            merged.setMemoryLimitInBytes(memory.getLimit().getValue());
        }
        if (memory.hasSwap()) {
            merged.setMemorySwapLimitInBytes(memory.getSwap().getValue());
        }
        for (HugepageLimit limit : resources.getHugepageLimitsList()) {
            for (int i = merged.getHugepageLimitsCount() - 1; i >= 0; i--) {
                if (merged.getHugepageLimits(i).getPageSize().equals(limit.getPageSize())) {
                    merged.removeHugepageLimits(i);
                }
            }
            merged.addHugepageLimitsBuilder().setPageSize(limit.getPageSize()).setLimit(limit.getLimit());
        }
        return merged.putAllUnified(resources.getUnifiedMap()).build();
    }

    /**
     * As {@link #over}, for a container that runs.
     *
     * @throws RuntimeFault UNSUPPORTED naming what cannot be changed then
     */
    static LinuxContainerResources update(LinuxContainerResources limits, LinuxResources resources) {
        List<String> impossible = new ArrayList<>();
        LinuxMemory memory = resources.getMemory();
        note(impossible, memory.hasReservation(), "memory reservation");
        note(impossible, memory.hasKernel() || memory.hasKernelTcp(), "kernel memory");
        note(impossible, memory.hasSwappiness(), "swappiness");
        note(impossible, memory.hasDisableOomKiller() || memory.hasUseHierarchy(), "memory controller options");
        note(impossible, resources.getCpu().hasRealtimeRuntime() || resources.getCpu().hasRealtimePeriod(), "real-time CPU");
        note(impossible, resources.hasPids(), "number of processes");
        note(impossible, resources.hasBlockioClass(), "block I/O class");
        note(impossible, resources.hasRdtClass(), "RDT class");
        if (!impossible.isEmpty()) {
            throw RuntimeFault.unsupported("update container: an NRI plugin changes " + String.join(", ", impossible)
                    + ": that is possible only when a container is created");
        }
        return over(limits, resources);
    }

    private static void note(List<String> impossible, boolean set, String what) {
        if (set) {
            impossible.add(what);
        }
    }
}
