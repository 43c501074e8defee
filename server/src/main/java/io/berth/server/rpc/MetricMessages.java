package io.berth.server.rpc;

import static io.berth.server.rpc.MetricFamily.*;

import io.berth.cri.v1.ContainerMetrics;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.PodSandboxMetrics;
import io.berth.linux.CgroupCpu;
import io.berth.linux.CgroupHugepages;
import io.berth.linux.CgroupIo;
import io.berth.linux.CgroupMemory;
import io.berth.linux.CgroupUsage;
import io.berth.linux.FilesystemSpace;
import io.berth.linux.InterfaceCounters;
import io.berth.linux.Pressure;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.pod.stats.ContainerDetails;
import io.berth.pod.stats.ContainerUsage;
import io.berth.pod.stats.PodUsage;
import java.util.List;
import java.util.Optional;

/**
 * Measurements as metrics. What this kernel does not tell is left out.
 *
 * @param device the name of the file system that containers write to
 * @param space the room on it
 */
record MetricMessages(String device, FilesystemSpace space) {

    private static final long NANOS_A_SECOND = 1_000_000_000L;

    /** Without its containers' metrics. */
    PodSandboxMetrics.Builder pod(PodUsage pod) {
        Sandbox sandbox = pod.sandbox();
        MetricList list = new MetricList(labels(sandbox, sandbox.id(), "", ""), pod.atNanos());
        pod.network().ifPresent(interfaces -> interfaces.forEach(each -> network(list, each)));
        return PodSandboxMetrics.newBuilder().setPodSandboxId(sandbox.id()).addAllMetrics(list.metrics());
    }

    ContainerMetrics container(Sandbox sandbox, ContainerUsage measured, ContainerDetails details) {
        Container container = measured.container();
        MetricList list = new MetricList(labels(sandbox, container.id(), ContainerMessages.image(container).getImage(),
                container.config().getMetadata().getName()), measured.atNanos());
        list.add(LAST_SEEN, measured.atNanos() / NANOS_A_SECOND);
        list.add(START_TIME_SECONDS, container.startedAtNanos() / NANOS_A_SECOND);
        measured.usage().ifPresent(usage -> usage(list, usage));
        measured.layer().ifPresent(layer -> list.add(FS_USAGE_BYTES, layer.bytes(), device));
        list.add(FS_LIMIT_BYTES, space.totalBytes(), device);
        list.add(FS_INODES_TOTAL, space.inodes(), device);
        list.add(FS_INODES_FREE, space.freeInodes(), device);
        specification(list, container.resources());
        details(list, details);
        return ContainerMetrics.newBuilder().setContainerId(container.id()).addAllMetrics(list.metrics()).build();
    }

    // In the order of MetricList.LABELS.
    private static List<String> labels(Sandbox sandbox, String id, String image, String container) {
        var metadata = sandbox.config().getMetadata();
        return List.of(id, image, metadata.getNamespace(), metadata.getName(), container);
    }

    private static void network(MetricList list, InterfaceCounters counters) {
        list.add(NETWORK_RECEIVE_BYTES_TOTAL, counters.rxBytes(), counters.name());
        list.add(NETWORK_RECEIVE_PACKETS_TOTAL, counters.rxPackets(), counters.name());
        list.add(NETWORK_RECEIVE_PACKETS_DROPPED_TOTAL, counters.rxDropped(), counters.name());
        list.add(NETWORK_RECEIVE_ERRORS_TOTAL, counters.rxErrors(), counters.name());
        list.add(NETWORK_TRANSMIT_BYTES_TOTAL, counters.txBytes(), counters.name());
        list.add(NETWORK_TRANSMIT_PACKETS_TOTAL, counters.txPackets(), counters.name());
        list.add(NETWORK_TRANSMIT_PACKETS_DROPPED_TOTAL, counters.txDropped(), counters.name());
        list.add(NETWORK_TRANSMIT_ERRORS_TOTAL, counters.txErrors(), counters.name());
    }

    private static void usage(MetricList list, CgroupUsage usage) {
        cpu(list, usage.cpu());
        memory(list, usage.memory());
        pressure(list, usage.cpuPressure(), PRESSURE_CPU_STALLED_SECONDS_TOTAL, PRESSURE_CPU_WAITING_SECONDS_TOTAL);
        pressure(list, usage.memoryPressure(), PRESSURE_MEMORY_STALLED_SECONDS_TOTAL,
                PRESSURE_MEMORY_WAITING_SECONDS_TOTAL);
        pressure(list, usage.ioPressure(), PRESSURE_IO_STALLED_SECONDS_TOTAL, PRESSURE_IO_WAITING_SECONDS_TOTAL);
    }

    private static void cpu(MetricList list, CgroupCpu cpu) {
        list.add(CPU_USAGE_SECONDS_TOTAL, cpu.nanos() / NANOS_A_SECOND, "total");
        list.add(CPU_USER_SECONDS_TOTAL, cpu.userNanos() / NANOS_A_SECOND);
        list.add(CPU_SYSTEM_SECONDS_TOTAL, cpu.systemNanos() / NANOS_A_SECOND);
        list.add(CPU_CFS_PERIODS_TOTAL, cpu.periods());
        list.add(CPU_CFS_THROTTLED_PERIODS_TOTAL, cpu.throttledPeriods());
        list.add(CPU_CFS_THROTTLED_SECONDS_TOTAL, cpu.throttledNanos() / NANOS_A_SECOND);
    }

    private static void memory(MetricList list, CgroupMemory memory) {
        list.add(MEMORY_USAGE_BYTES, memory.usage());
        list.add(MEMORY_WORKING_SET_BYTES, memory.workingSet());
        list.add(MEMORY_RSS, memory.rss());
        list.add(MEMORY_CACHE, memory.cache());
        list.add(MEMORY_MAPPED_FILE, memory.mappedFile());
        list.add(MEMORY_TOTAL_ACTIVE_FILE_BYTES, memory.activeFile());
        list.add(MEMORY_TOTAL_INACTIVE_FILE_BYTES, memory.inactiveFile());
        list.add(MEMORY_MAX_USAGE_BYTES, memory.peak());
        list.add(MEMORY_KERNEL_USAGE, memory.kernel());
        list.add(MEMORY_FAILCNT, memory.failures());
        // Without accounting of swap there is none to a container's name.
        list.add(MEMORY_SWAP, memory.swapUsage().orElse(0));
        for (String scope : List.of("container", "hierarchy")) {
            // A container's group includes those that it makes below: both scopes are the same.
            list.add(MEMORY_FAILURES_TOTAL, memory.pageFaults(), "pgfault", scope);
            list.add(MEMORY_FAILURES_TOTAL, memory.majorPageFaults(), "pgmajfault", scope);
        }
    }

    private static void pressure(MetricList list, Optional<Pressure> pressure, MetricFamily all, MetricFamily some) {
        pressure.ifPresent(known -> {
            list.add(all, known.full().totalNanos() / NANOS_A_SECOND);
            list.add(some, known.some().totalNanos() / NANOS_A_SECOND);
        });
    }

    private static void specification(MetricList list, LinuxContainerResources resources) {
        list.add(SPEC_CPU_SHARES, Math.max(0, resources.getCpuShares()));
        list.add(SPEC_CPU_PERIOD, Math.max(0, resources.getCpuPeriod()));
        if (resources.getCpuQuota() > 0) {
            list.add(SPEC_CPU_QUOTA, resources.getCpuQuota());
        }
        list.add(SPEC_MEMORY_LIMIT_BYTES, Math.max(0, resources.getMemoryLimitInBytes()));
        list.add(SPEC_MEMORY_SWAP_LIMIT_BYTES, Math.max(0, resources.getMemorySwapLimitInBytes()));
        String reserved = resources.getUnifiedOrDefault("memory.min", "0");
        list.add(SPEC_MEMORY_RESERVATION_LIMIT_BYTES, reserved.matches("[0-9]{1,18}") ? Long.parseLong(reserved) : 0);
    }

    private static void details(MetricList list, ContainerDetails details) {
        list.add(OOM_EVENTS_TOTAL, details.oomKills());
        list.add(PROCESSES, details.processes().ids().size());
        list.add(THREADS, details.processes().threads());
        list.add(THREADS_MAX, details.processes().threadLimit().orElse(0));
        list.add(FILE_DESCRIPTORS, details.files().descriptors());
        list.add(SOCKETS, details.files().sockets());
        list.add(ULIMITS_SOFT, details.openFileLimit(), "max_open_files");
        details.io().forEach(device -> io(list, device));
        for (CgroupHugepages pages : details.hugepages()) {
            list.add(HUGETLB_USAGE_BYTES, pages.usage(), pages.pageSize());
            list.add(HUGETLB_MAX_USAGE_BYTES, pages.maxUsage(), pages.pageSize());
        }
    }

    private static void io(MetricList list, CgroupIo io) {
        list.add(FS_READS_BYTES_TOTAL, io.readBytes(), io.device());
        list.add(FS_READS_TOTAL, io.reads(), io.device());
        list.add(FS_WRITES_BYTES_TOTAL, io.writtenBytes(), io.device());
        list.add(FS_WRITES_TOTAL, io.writes(), io.device());
        String major = Integer.toString(io.major());
        String minor = Integer.toString(io.minor());
        list.add(BLKIO_DEVICE_USAGE_TOTAL, io.readBytes(), io.device(), major, minor, "Read");
        list.add(BLKIO_DEVICE_USAGE_TOTAL, io.writtenBytes(), io.device(), major, minor, "Write");
    }
}
