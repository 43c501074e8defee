package io.berth.server.rpc;

import io.berth.cri.v1.MetricDescriptor;
import io.berth.cri.v1.MetricType;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The metrics that ListPodSandboxMetrics may report, named as cAdvisor named them: all that containerd or CRI-O reports.
 * A value is a whole number, so times are in full seconds. Every metric has the labels of {@link MetricList#LABELS} first.
 */
enum MetricFamily {
    CPU_USER_SECONDS_TOTAL(Kind.COUNTER, "Processor time in user mode, in seconds."),
    CPU_SYSTEM_SECONDS_TOTAL(Kind.COUNTER, "Processor time in the kernel, in seconds."),
    CPU_USAGE_SECONDS_TOTAL(Kind.COUNTER, "Processor time, in seconds.", "cpu"),
    CPU_CFS_PERIODS_TOTAL(Kind.COUNTER, "Enforcement periods of the processor quota that have passed."),
    CPU_CFS_THROTTLED_PERIODS_TOTAL(Kind.COUNTER, "Enforcement periods in which the quota was used up."),
    CPU_CFS_THROTTLED_SECONDS_TOTAL(Kind.COUNTER, "Time spent waiting for the next period, in seconds."),
    MEMORY_CACHE(Kind.GAUGE, "Page cache, in bytes."),
    MEMORY_RSS(Kind.GAUGE, "Anonymous memory, in bytes."),
    MEMORY_KERNEL_USAGE(Kind.GAUGE, "Memory that the kernel took for the container, in bytes."),
    MEMORY_MAPPED_FILE(Kind.GAUGE, "Mapped files, in bytes."),
    MEMORY_SWAP(Kind.GAUGE, "Swap in use, in bytes."),
    MEMORY_FAILCNT(Kind.COUNTER, "How often memory usage met its limit."),
    MEMORY_USAGE_BYTES(Kind.GAUGE, "Memory in use with the page cache, in bytes."),
    MEMORY_MAX_USAGE_BYTES(Kind.GAUGE, "The highest memory usage, in bytes."),
    MEMORY_WORKING_SET_BYTES(Kind.GAUGE, "Memory usage less the inactive page cache, in bytes."),
    MEMORY_TOTAL_ACTIVE_FILE_BYTES(Kind.GAUGE, "Active page cache, in bytes."),
    MEMORY_TOTAL_INACTIVE_FILE_BYTES(Kind.GAUGE, "Inactive page cache, in bytes."),
    MEMORY_FAILURES_TOTAL(Kind.COUNTER, "Page faults.", "failure_type", "scope"),
    OOM_EVENTS_TOTAL(Kind.COUNTER, "Processes killed for want of memory."),
    NETWORK_RECEIVE_BYTES_TOTAL(Kind.COUNTER, "Bytes received.", "interface"),
    NETWORK_RECEIVE_PACKETS_TOTAL(Kind.COUNTER, "Packets received.", "interface"),
    NETWORK_RECEIVE_PACKETS_DROPPED_TOTAL(Kind.COUNTER, "Packets dropped while receiving.", "interface"),
    NETWORK_RECEIVE_ERRORS_TOTAL(Kind.COUNTER, "Errors while receiving.", "interface"),
    NETWORK_TRANSMIT_BYTES_TOTAL(Kind.COUNTER, "Bytes sent.", "interface"),
    NETWORK_TRANSMIT_PACKETS_TOTAL(Kind.COUNTER, "Packets sent.", "interface"),
    NETWORK_TRANSMIT_PACKETS_DROPPED_TOTAL(Kind.COUNTER, "Packets dropped while sending.", "interface"),
    NETWORK_TRANSMIT_ERRORS_TOTAL(Kind.COUNTER, "Errors while sending.", "interface"),
    FS_INODES_FREE(Kind.GAUGE, "Free inodes of the file system that the container writes to.", "device"),
    FS_INODES_TOTAL(Kind.GAUGE, "Inodes of the file system that the container writes to.", "device"),
    FS_LIMIT_BYTES(Kind.GAUGE, "Size of the file system that the container writes to, in bytes.", "device"),
    FS_USAGE_BYTES(Kind.GAUGE, "What the container has written to its root file system, in bytes.", "device"),
    FS_READS_BYTES_TOTAL(Kind.COUNTER, "Bytes read from the device.", "device"),
    FS_READS_TOTAL(Kind.COUNTER, "Reads from the device.", "device"),
    FS_WRITES_BYTES_TOTAL(Kind.COUNTER, "Bytes written to the device.", "device"),
    FS_WRITES_TOTAL(Kind.COUNTER, "Writes to the device.", "device"),
    BLKIO_DEVICE_USAGE_TOTAL(Kind.COUNTER, "Bytes moved to or from the device.", "device", "major", "minor", "operation"),
    HUGETLB_USAGE_BYTES(Kind.GAUGE, "Huge pages in use, in bytes.", "pagesize"),
    HUGETLB_MAX_USAGE_BYTES(Kind.GAUGE, "The highest usage of huge pages, in bytes.", "pagesize"),
    PROCESSES(Kind.GAUGE, "Processes."),
    FILE_DESCRIPTORS(Kind.GAUGE, "Open file descriptors."),
    SOCKETS(Kind.GAUGE, "Open sockets."),
    THREADS(Kind.GAUGE, "Threads."),
    THREADS_MAX(Kind.GAUGE, "How many threads there may be; 0 for no limit."),
    ULIMITS_SOFT(Kind.GAUGE, "Soft limits of the first process.", "ulimit"),
    LAST_SEEN(Kind.GAUGE, "When the container was measured, in seconds since the epoch."),
    START_TIME_SECONDS(Kind.GAUGE, "When the container was started, in seconds since the epoch."),
    SPEC_CPU_PERIOD(Kind.GAUGE, "The enforcement period of the processor quota, in microseconds."),
    SPEC_CPU_QUOTA(Kind.GAUGE, "The processor quota a period, in microseconds."),
    SPEC_CPU_SHARES(Kind.GAUGE, "The processor weight, in shares."),
    SPEC_MEMORY_LIMIT_BYTES(Kind.GAUGE, "The memory limit, in bytes; 0 for none."),
    SPEC_MEMORY_RESERVATION_LIMIT_BYTES(Kind.GAUGE, "Memory kept for the container, in bytes; 0 for none."),
    SPEC_MEMORY_SWAP_LIMIT_BYTES(Kind.GAUGE, "The limit of memory and swap together, in bytes; 0 for none."),
    PRESSURE_CPU_STALLED_SECONDS_TOTAL(Kind.COUNTER, "Time in which all waited for a processor, in seconds."),
    PRESSURE_CPU_WAITING_SECONDS_TOTAL(Kind.COUNTER, "Time in which some waited for a processor, in seconds."),
    PRESSURE_MEMORY_STALLED_SECONDS_TOTAL(Kind.COUNTER, "Time in which all waited for memory, in seconds."),
    PRESSURE_MEMORY_WAITING_SECONDS_TOTAL(Kind.COUNTER, "Time in which some waited for memory, in seconds."),
    PRESSURE_IO_STALLED_SECONDS_TOTAL(Kind.COUNTER, "Time in which all waited for devices, in seconds."),
    PRESSURE_IO_WAITING_SECONDS_TOTAL(Kind.COUNTER, "Time in which some waited for devices, in seconds.");

    private enum Kind {
        COUNTER,
        GAUGE
    }

    private final MetricType type;
    private final MetricDescriptor descriptor;

    MetricFamily(Kind kind, String help, String... ownLabels) {
        this.type = kind == Kind.COUNTER ? MetricType.COUNTER : MetricType.GAUGE;
        this.descriptor = MetricDescriptor.newBuilder().setName("container_" + name().toLowerCase(Locale.ROOT))
                .setHelp(help).addAllLabelKeys(MetricList.LABELS)
                .addAllLabelKeys(List.of(ownLabels)).build();
    }

    MetricDescriptor descriptor() {
        return descriptor;
    }

    MetricType type() {
        return type;
    }

    static List<MetricDescriptor> descriptors() {
        return Stream.of(values()).map(MetricFamily::descriptor).toList();
    }
}
