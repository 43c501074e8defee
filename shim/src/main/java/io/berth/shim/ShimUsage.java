package io.berth.shim;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.linux.CgroupCpu;
import io.berth.linux.CgroupMemory;
import io.berth.linux.CgroupUsage;
import io.berth.shim.v2.CgroupV1Memory;
import io.berth.shim.v2.CgroupV1Metrics;
import io.berth.shim.v2.CgroupV2Memory;
import io.berth.shim.v2.CgroupV2Metrics;
import io.berth.base.RuntimeFault;
import java.util.Optional;
import java.util.OptionalLong;

/** What a shim tells of the use of a container, which may be in a virtual machine. Source: containerd/cgroups. */
final class ShimUsage {

    private ShimUsage() {}

    /** Empty for figures of a kind that Berth does not know. */
    static Optional<CgroupUsage> read(Any stats) {
        String type = stats.getTypeUrl().replaceFirst("^.*/", "");
        try {
            return switch (type) {
                case "io.containerd.cgroups.v1.Metrics" -> Optional.of(first(CgroupV1Metrics.parseFrom(stats.getValue())));
                case "io.containerd.cgroups.v2.Metrics" -> Optional.of(second(CgroupV2Metrics.parseFrom(stats.getValue())));
                default -> Optional.empty();
            };
        } catch (InvalidProtocolBufferException e) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "read the shim's stats: they are no message", e);
        }
    }

    private static CgroupUsage first(CgroupV1Metrics metrics) {
        var cpu = metrics.getCpu();
        CgroupV1Memory memory = metrics.getMemory();
        long usage = memory.getUsage().getUsage();
        return usage(new CgroupCpu(cpu.getUsage().getTotal(), cpu.getUsage().getUser(), cpu.getUsage().getKernel(),
                cpu.getThrottling().getPeriods(), cpu.getThrottling().getThrottledPeriods(),
                cpu.getThrottling().getThrottledTime()),
                new CgroupMemory(usage, Math.max(0, usage - memory.getTotalInactiveFile()), memory.getTotalRss(),
                        memory.getTotalCache(), memory.getTotalMappedFile(), memory.getTotalActiveFile(),
                        memory.getTotalInactiveFile(), memory.getTotalPgFault(), memory.getTotalPgMajFault(),
                        limit(memory.getUsage().getLimit()), OptionalLong.of(memory.getUsage().getMax()),
                        OptionalLong.of(memory.getKernel().getUsage()), OptionalLong.of(memory.getUsage().getFailcnt()),
                        OptionalLong.empty(), OptionalLong.empty()));
    }

    private static CgroupUsage second(CgroupV2Metrics metrics) {
        var cpu = metrics.getCpu();
        CgroupV2Memory memory = metrics.getMemory();
        return usage(new CgroupCpu(cpu.getUsageUsec() * 1000, cpu.getUserUsec() * 1000, cpu.getSystemUsec() * 1000,
                cpu.getNrPeriods(), cpu.getNrThrottled(), cpu.getThrottledUsec() * 1000),
                new CgroupMemory(memory.getUsage(), Math.max(0, memory.getUsage() - memory.getInactiveFile()),
                        memory.getAnon(), memory.getFile(), memory.getFileMapped(), memory.getActiveFile(), memory.getInactiveFile(),
                        memory.getPgfault(), memory.getPgmajfault(), limit(memory.getUsageLimit()),
                        memory.getMaxUsage() > 0 ? OptionalLong.of(memory.getMaxUsage()) : OptionalLong.empty(),
                        OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()));
    }

    // A group without a limit tells the largest number there is, rounded down to a page.
    private static OptionalLong limit(long bytes) {
        return bytes <= 0 || bytes >= Long.MAX_VALUE - 4096 ? OptionalLong.empty() : OptionalLong.of(bytes);
    }

    private static CgroupUsage usage(CgroupCpu cpu, CgroupMemory memory) {
        return new CgroupUsage(cpu, memory, Optional.empty(), Optional.empty(), Optional.empty());
    }
}
