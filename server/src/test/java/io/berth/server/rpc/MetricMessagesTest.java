package io.berth.server.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerMetrics;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.Metric;
import io.berth.cri.v1.MetricDescriptor;
import io.berth.cri.v1.NetworkUsage;
import io.berth.cri.v1.PodSandboxMetrics;
import io.berth.linux.CgroupCpu;
import io.berth.linux.CgroupHugepages;
import io.berth.linux.CgroupIo;
import io.berth.linux.CgroupMemory;
import io.berth.linux.CgroupProcesses;
import io.berth.linux.CgroupUsage;
import io.berth.linux.FilesystemSpace;
import io.berth.linux.InterfaceCounters;
import io.berth.linux.OpenFiles;
import io.berth.linux.Pressure;
import io.berth.pod.stats.ContainerDetails;
import io.berth.pod.stats.ContainerUsage;
import io.berth.pod.stats.PodUsage;
import io.berth.snapshot.Usage;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MetricMessagesTest {

    private static final OptionalLong SOME = OptionalLong.of(7);
    private static final Map<String, MetricDescriptor> DESCRIPTORS = MetricFamily.descriptors().stream()
            .collect(Collectors.toMap(MetricDescriptor::getName, Function.identity()));

    private final MetricMessages messages = new MetricMessages("/dev/vda", new FilesystemSpace(100, 50, 10, 5));

    private static ContainerUsage container() {
        Pressure.Stall stall = new Pressure.Stall(3_000_000_000L, 1, 2, 3);
        Optional<Pressure> pressure = Optional.of(new Pressure(stall, stall));
        CgroupMemory memory = new CgroupMemory(1, 2, 3, 4, 5, 6, 7, 8, 9, SOME, SOME, SOME, SOME, SOME, SOME);
        return new ContainerUsage(SampleRecords.container("c1", "s1", LinuxContainerResources.newBuilder()
                .setCpuPeriod(100000).setCpuQuota(5000).setMemoryLimitInBytes(-1).putUnified("memory.min", "max").build()),
                5_000_000_000L, Optional.of(new CgroupUsage(new CgroupCpu(2_500_000_000L, 1, 1, 1, 1, 1), memory, pressure,
                        pressure, pressure)), SOME, Optional.of(new Usage(9, 9)));
    }

    private Stream<Metric> everything() {
        ContainerDetails details = new ContainerDetails(new CgroupProcesses(List.of(1), SOME, OptionalLong.empty()),
                new OpenFiles(1, 1), SOME, List.of(new CgroupIo("/dev/vda", 254, 0, 1, 2, 3, 4)),
                List.of(new CgroupHugepages("2MB", 1, SOME)), 2);
        PodUsage pod = new PodUsage(SampleRecords.sandbox("s1"), 1, Optional.empty(), SOME,
                Optional.of(List.of(new InterfaceCounters("eth0", 1, 2, 3, 4, 5, 6, 7, 8))), 1, List.of());
        PodSandboxMetrics ofPod = messages.pod(pod).build();
        ContainerMetrics ofContainer = messages.container(SampleRecords.sandbox("s1"), container(), details);
        return Stream.concat(ofPod.getMetricsList().stream(), ofContainer.getMetricsList().stream());
    }

    @Test
    void everyDescriptorHasHelpAndLabelsAndANameOfItsOwn() {
        assertEquals(MetricFamily.values().length, DESCRIPTORS.size());
        DESCRIPTORS.values().forEach(descriptor -> {
            assertTrue(descriptor.getName().matches("container_[a-z_]+"), descriptor.getName());
            assertFalse(descriptor.getHelp().isEmpty());
            assertTrue(descriptor.getLabelKeysList().containsAll(List.of("namespace", "pod", "container", "id", "image")));
            assertEquals(descriptor.getLabelKeysCount(), new HashSet<>(descriptor.getLabelKeysList()).size());
        });
    }

    @Test
    void everyMetricIsReportedWithAValueForEachLabelOfItsDescriptor() {
        Set<String> reported = new HashSet<>();
        everything().forEach(metric -> {
            reported.add(metric.getName());
            assertEquals(DESCRIPTORS.get(metric.getName()).getLabelKeysCount(), metric.getLabelValuesCount(),
                    metric.getName());
        });
        assertEquals(DESCRIPTORS.keySet(), reported);
    }

    @Test
    void labelValuesStandInTheOrderOfTheKeys() {
        Metric metric = everything().filter(each -> each.getName().equals("container_blkio_device_usage_total"))
                .findFirst().orElseThrow();
        assertEquals(List.of("id", "image", "namespace", "pod", "container", "device", "major", "minor", "operation"),
                DESCRIPTORS.get(metric.getName()).getLabelKeysList());
        assertEquals(List.of("c1", "busybox:1", "shop", "web", "main", "/dev/vda", "254", "0", "Read"),
                metric.getLabelValuesList());
    }

    @Test
    void timesAreInSecondsAndMissingLimitsAreZero() {
        Map<String, Long> values = everything().collect(Collectors.toMap(Metric::getName,
                metric -> metric.getValue().getValue(), (first, second) -> first));
        assertEquals(2, values.get("container_cpu_usage_seconds_total"));
        assertEquals(3, values.get("container_pressure_io_waiting_seconds_total"));
        assertEquals(0, values.get("container_threads_max"));
        assertEquals(0, values.get("container_spec_memory_limit_bytes"));
        assertEquals(0, values.get("container_spec_memory_reservation_limit_bytes"));
        assertEquals(5000, values.get("container_spec_cpu_quota"));
        assertEquals(5, values.get("container_last_seen"));
    }

    @Test
    void aMetricWithAWrongNumberOfLabelsCannotBeMade() {
        MetricList list = new MetricList(List.of("a", "b", "c", "d", "e"), 0);
        assertThrows(IllegalArgumentException.class, () -> list.add(MetricFamily.FS_READS_TOTAL, 1));
    }

    @Test
    void theDefaultInterfaceIsEthZeroAndStandsApartFromTheOthers() {
        InterfaceCounters second = new InterfaceCounters("net1", 1, 0, 0, 0, 2, 0, 0, 0);
        InterfaceCounters first = new InterfaceCounters("eth0", 3, 0, 0, 0, 4, 0, 0, 0);
        NetworkUsage usage = StatsMessages.network(1, List.of(second, first));
        assertEquals("eth0", usage.getDefaultInterface().getName());
        assertEquals(List.of("net1"), usage.getInterfacesList().stream().map(each -> each.getName()).toList());
        assertEquals("net1", StatsMessages.network(1, List.of(second)).getDefaultInterface().getName());
        assertFalse(StatsMessages.network(1, List.of()).hasDefaultInterface());
    }
}
