package io.berth.server.rpc;

import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerAttributes;
import io.berth.cri.v1.ContainerStats;
import io.berth.cri.v1.ContainerStatsFilter;
import io.berth.cri.v1.CpuUsage;
import io.berth.cri.v1.FilesystemIdentifier;
import io.berth.cri.v1.FilesystemUsage;
import io.berth.cri.v1.MemoryUsage;
import io.berth.cri.v1.SwapUsage;
import io.berth.cri.v1.UInt64Value;
import io.berth.linux.CgroupUsage;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.snapshot.Usage;

/** What containers use, as the CRI tells of it. */
final class StatsMessages {

    private StatsMessages() {}

    static boolean matches(ContainerStatsFilter filter, Container container) {
        return Selectors.matchesId(filter.getId(), container.id())
                && Selectors.matchesId(filter.getPodSandboxId(), container.sandboxId())
                && Selectors.matches(filter.getLabelSelectorMap(), container.config().getLabelsMap());
    }

    static ContainerStats of(Node node, Container container) {
        long now = UnixTime.now();
        ContainerStats.Builder stats = ContainerStats.newBuilder().setAttributes(ContainerAttributes.newBuilder()
                .setId(container.id()).setMetadata(container.config().getMetadata())
                .putAllLabels(container.config().getLabelsMap())
                .putAllAnnotations(container.config().getAnnotationsMap()));
        CgroupUsage.read(node.cgroups(), container.cgroup()).ifPresent(usage -> {
            stats.setCpu(CpuUsage.newBuilder().setTimestamp(now).setUsageCoreNanoSeconds(value(usage.cpuNanos())));
            MemoryUsage.Builder memory = MemoryUsage.newBuilder().setTimestamp(now)
                    .setWorkingSetBytes(value(usage.workingSet())).setUsageBytes(value(usage.memoryUsage()))
                    .setRssBytes(value(usage.rss())).setPageFaults(value(usage.pageFaults()))
                    .setMajorPageFaults(value(usage.majorPageFaults()));
            usage.memoryLimit().ifPresent(limit ->
                    memory.setAvailableBytes(value(Math.max(0, limit - usage.workingSet()))));
            stats.setMemory(memory);
            SwapUsage.Builder swap = SwapUsage.newBuilder().setTimestamp(now);
            usage.swapUsage().ifPresent(used -> {
                swap.setSwapUsageBytes(value(used));
                usage.swapLimit().ifPresent(limit -> swap.setSwapAvailableBytes(value(Math.max(0, limit - used))));
            });
            stats.setSwap(swap);
        });
        Usage layer = node.snapshots().usage(container.id());
        stats.setWritableLayer(FilesystemUsage.newBuilder().setTimestamp(now)
                .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(node.directories().root().toString()))
                .setUsedBytes(value(layer.bytes())).setInodesUsed(value(layer.inodes())));
        return stats.build();
    }

    static UInt64Value value(long number) {
        return UInt64Value.newBuilder().setValue(number).build();
    }
}
