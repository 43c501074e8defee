package io.berth.server.rpc;

import io.berth.cri.v1.ContainerAttributes;
import io.berth.cri.v1.ContainerStats;
import io.berth.cri.v1.ContainerStatsFilter;
import io.berth.cri.v1.CpuUsage;
import io.berth.cri.v1.FilesystemIdentifier;
import io.berth.cri.v1.FilesystemUsage;
import io.berth.cri.v1.IoUsage;
import io.berth.cri.v1.LinuxPodSandboxStats;
import io.berth.cri.v1.MemoryUsage;
import io.berth.cri.v1.NetworkInterfaceUsage;
import io.berth.cri.v1.NetworkUsage;
import io.berth.cri.v1.PodSandboxAttributes;
import io.berth.cri.v1.PodSandboxStats;
import io.berth.cri.v1.PodSandboxStatsFilter;
import io.berth.cri.v1.ProcessUsage;
import io.berth.cri.v1.PsiData;
import io.berth.cri.v1.PsiStats;
import io.berth.cri.v1.SwapUsage;
import io.berth.cri.v1.UInt64Value;
import io.berth.linux.CgroupMemory;
import io.berth.linux.CgroupUsage;
import io.berth.linux.InterfaceCounters;
import io.berth.linux.Pressure;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.pod.stats.ContainerUsage;
import io.berth.pod.stats.PodUsage;
import java.util.List;
import java.util.OptionalLong;

/**
 * What containers and pods use, as the CRI tells of it.
 *
 * @param mountpoint stands for the file system that containers write to
 */
record StatsMessages(String mountpoint) {

    /** The interface that CNI and the built-in network give a pod. */
    private static final String DEFAULT_INTERFACE = "eth0";

    static boolean matches(ContainerStatsFilter filter, Container container) {
        return Selectors.matchesId(filter.getId(), container.id())
                && Selectors.matchesId(filter.getPodSandboxId(), container.sandboxId())
                && Selectors.matches(filter.getLabelSelectorMap(), container.config().getLabelsMap());
    }

    static boolean matches(PodSandboxStatsFilter filter, Sandbox sandbox) {
        return Selectors.matchesId(filter.getId(), sandbox.id())
                && Selectors.matches(filter.getLabelSelectorMap(), sandbox.config().getLabelsMap());
    }

    ContainerStats container(ContainerUsage measured) {
        Container container = measured.container();
        long at = measured.atNanos();
        ContainerStats.Builder stats = ContainerStats.newBuilder().setAttributes(ContainerAttributes.newBuilder()
                .setId(container.id()).setMetadata(container.config().getMetadata())
                .putAllLabels(container.config().getLabelsMap())
                .putAllAnnotations(container.config().getAnnotationsMap()));
        measured.usage().ifPresent(usage -> {
            stats.setCpu(cpu(at, usage, measured.nanoCores())).setMemory(memory(at, usage))
                    .setSwap(swap(at, usage.memory()));
            usage.ioPressure().ifPresent(pressure -> stats.setIo(io(at, pressure)));
        });
        measured.layer().ifPresent(layer -> stats.setWritableLayer(FilesystemUsage.newBuilder().setTimestamp(at)
                .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(mountpoint))
                .setUsedBytes(value(layer.bytes())).setInodesUsed(value(layer.inodes()))));
        return stats.build();
    }

    PodSandboxStats pod(PodUsage measured) {
        Sandbox sandbox = measured.sandbox();
        long at = measured.atNanos();
        LinuxPodSandboxStats.Builder stats = LinuxPodSandboxStats.newBuilder()
                .setProcess(ProcessUsage.newBuilder().setTimestamp(at).setProcessCount(value(measured.processes())));
        measured.usage().ifPresent(usage -> {
            stats.setCpu(cpu(at, usage, measured.nanoCores())).setMemory(memory(at, usage));
            usage.ioPressure().ifPresent(pressure -> stats.setIo(io(at, pressure)));
        });
        measured.network().ifPresent(interfaces -> stats.setNetwork(network(at, interfaces)));
        measured.containers().forEach(container -> stats.addContainers(container(container)));
        return PodSandboxStats.newBuilder().setLinux(stats).setAttributes(PodSandboxAttributes.newBuilder()
                .setId(sandbox.id()).setMetadata(sandbox.config().getMetadata())
                .putAllLabels(sandbox.config().getLabelsMap())
                .putAllAnnotations(sandbox.config().getAnnotationsMap())).build();
    }

    private static CpuUsage cpu(long at, CgroupUsage usage, OptionalLong nanoCores) {
        CpuUsage.Builder cpu = CpuUsage.newBuilder().setTimestamp(at).setUsageCoreNanoSeconds(value(usage.cpu().nanos()));
        nanoCores.ifPresent(rate -> cpu.setUsageNanoCores(value(rate)));
        usage.cpuPressure().ifPresent(pressure -> cpu.setPsi(psi(pressure)));
        return cpu.build();
    }

    private static MemoryUsage memory(long at, CgroupUsage usage) {
        CgroupMemory figures = usage.memory();
        MemoryUsage.Builder memory = MemoryUsage.newBuilder().setTimestamp(at)
                .setWorkingSetBytes(value(figures.workingSet())).setUsageBytes(value(figures.usage()))
                .setRssBytes(value(figures.rss())).setPageFaults(value(figures.pageFaults()))
                .setMajorPageFaults(value(figures.majorPageFaults()));
        figures.limit().ifPresent(limit -> memory.setAvailableBytes(value(Math.max(0, limit - figures.workingSet()))));
        usage.memoryPressure().ifPresent(pressure -> memory.setPsi(psi(pressure)));
        return memory.build();
    }

    private static SwapUsage swap(long at, CgroupMemory figures) {
        SwapUsage.Builder swap = SwapUsage.newBuilder().setTimestamp(at);
        figures.swapUsage().ifPresent(used -> {
            swap.setSwapUsageBytes(value(used));
            figures.swapLimit().ifPresent(limit -> swap.setSwapAvailableBytes(value(Math.max(0, limit - used))));
        });
        return swap.build();
    }

    private static IoUsage io(long at, Pressure pressure) {
        return IoUsage.newBuilder().setTimestamp(at).setPsi(psi(pressure)).build();
    }

    private static PsiStats psi(Pressure pressure) {
        return PsiStats.newBuilder().setFull(psi(pressure.full())).setSome(psi(pressure.some())).build();
    }

    private static PsiData psi(Pressure.Stall stall) {
        return PsiData.newBuilder().setTotal(stall.totalNanos()).setAvg10(stall.percent10()).setAvg60(stall.percent60())
                .setAvg300(stall.percent300()).build();
    }

    /** The default interface apart from the others, as the interface has it; the first one where there is no eth0. */
    static NetworkUsage network(long at, List<InterfaceCounters> interfaces) {
        NetworkUsage.Builder network = NetworkUsage.newBuilder().setTimestamp(at);
        String chosen = interfaces.stream().map(InterfaceCounters::name).filter(DEFAULT_INTERFACE::equals).findFirst()
                .orElseGet(() -> interfaces.isEmpty() ? "" : interfaces.getFirst().name());
        for (InterfaceCounters counters : interfaces) {
            NetworkInterfaceUsage usage = NetworkInterfaceUsage.newBuilder().setName(counters.name())
                    .setRxBytes(value(counters.rxBytes())).setRxErrors(value(counters.rxErrors()))
                    .setTxBytes(value(counters.txBytes())).setTxErrors(value(counters.txErrors())).build();
            if (counters.name().equals(chosen)) {
                network.setDefaultInterface(usage);
            } else {
                network.addInterfaces(usage);
            }
        }
        return network.build();
    }

    static UInt64Value value(long number) {
        return UInt64Value.newBuilder().setValue(number).build();
    }
}
