package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerStats;
import io.berth.cri.v1.ContainerStatsFilter;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ImageFsInfoRequest;
import io.berth.cri.v1.ListContainerStatsRequest;
import io.berth.cri.v1.ListMetricDescriptorsRequest;
import io.berth.cri.v1.ListPodSandboxMetricsRequest;
import io.berth.cri.v1.ListPodSandboxStatsRequest;
import io.berth.cri.v1.MetricDescriptor;
import io.berth.cri.v1.PodSandboxStats;
import io.berth.cri.v1.PodSandboxStatsFilter;
import io.berth.cri.v1.PodSandboxStatsRequest;
import io.berth.cri.v1.StreamContainerStatsRequest;
import io.berth.cri.v1.StreamPodSandboxMetricsRequest;
import io.berth.cri.v1.StreamPodSandboxStatsRequest;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What containers, pods and images use. */
@Timeout(120)
class StatsConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static ContainerStats stats(String container) {
        return CRI.runtime().containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build()).getStats();
    }

    private static List<String> listed(ContainerStatsFilter.Builder filter) {
        return CRI.runtime().listContainerStats(ListContainerStatsRequest.newBuilder().setFilter(filter).build()).getStatsList()
                .stream().map(each -> each.getAttributes().getId()).toList();
    }

    private static PodSandboxStats podStats(String pod) {
        return CRI.runtime().podSandboxStats(PodSandboxStatsRequest.newBuilder().setPodSandboxId(pod).build()).getStats();
    }

    @Test
    void aContainersStatsNameIt() {
        String container = CRI.sleeper(CRI.pod(), config -> config.putLabels("app", "sail").putAnnotations("note", "text"));
        var attributes = stats(container).getAttributes();
        assertEquals(container, attributes.getId());
        assertEquals(CRI.status(container).getMetadata(), attributes.getMetadata());
        assertEquals(Map.of("app", "sail"), attributes.getLabelsMap());
        assertEquals(Map.of("note", "text"), attributes.getAnnotationsMap());
    }

    @Test
    void usedProcessorTimeIsCounted() {
        String container = CRI.sleeper(CRI.pod());
        long before = stats(container).getCpu().getUsageCoreNanoSeconds().getValue();
        CRI.out(container, "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
        ContainerStats after = stats(container);
        assertTrue(after.getCpu().getUsageCoreNanoSeconds().getValue() > before + 10_000_000, after::toString);
        assertTrue(after.getCpu().getTimestamp() > 0);
    }

    @Test
    void usedMemoryIsCounted() {
        String container = CRI.sleeper(CRI.pod());
        long before = stats(container).getMemory().getWorkingSetBytes().getValue();
        assertTrue(before > 0);
        // In the pod's shared memory it stays and is no cache that the kernel may drop.
        CRI.out(container, "dd", "if=/dev/zero", "of=/dev/shm/held", "bs=1M", "count=20");
        assertTrue(stats(container).getMemory().getWorkingSetBytes().getValue() >= before + (18 << 20));
    }

    @Test
    void whatTheContainerWritesIsCounted() {
        String container = CRI.sleeper(CRI.pod());
        CRI.out(container, "sh", "-c", "dd if=/dev/zero of=/written bs=1M count=5; sync");
        Cri.await("the usage of the writable layer",
                () -> stats(container).getWritableLayer().getUsedBytes().getValue() >= 5 << 20);
        var layer = stats(container).getWritableLayer();
        assertTrue(layer.getInodesUsed().getValue() > 0 && layer.getTimestamp() > 0, layer::toString);
        assertFalse(layer.getFsId().getMountpoint().isEmpty());
    }

    @Test
    void listsOfStatsAreFiltered() {
        var pod = CRI.pod();
        String first = CRI.sleeper(pod, config -> config.putLabels("test", "stats").putLabels("which", "first"));
        String second = CRI.sleeper(pod, config -> config.putLabels("test", "stats"));
        CRI.sleeper(CRI.pod());
        assertEquals(List.of(first), listed(ContainerStatsFilter.newBuilder().setId(first)));
        assertEquals(Set.of(first, second), Set.copyOf(listed(ContainerStatsFilter.newBuilder().setPodSandboxId(pod.id()))));
        assertEquals(Set.of(first, second), Set.copyOf(listed(ContainerStatsFilter.newBuilder().putLabelSelector("test", "stats"))));
        assertEquals(List.of(first), listed(ContainerStatsFilter.newBuilder().putLabelSelector("test", "stats")
                .putLabelSelector("which", "first")));
        assertEquals(List.of(), listed(ContainerStatsFilter.newBuilder().setId(first).setPodSandboxId("absent")));
        assertTrue(listed(ContainerStatsFilter.newBuilder()).containsAll(List.of(first, second)));
    }

    @Test
    void theStreamOfStatsHasEachOnce() {
        var pod = CRI.pod();
        Set<String> made = Set.of(CRI.sleeper(pod), CRI.sleeper(pod));
        List<String> ids = new ArrayList<>();
        CRI.runtime().streamContainerStats(StreamContainerStatsRequest.newBuilder()
                        .setFilter(ContainerStatsFilter.newBuilder().setPodSandboxId(pod.id())).build())
                .forEachRemaining(part -> part.getContainerStatsList().forEach(each -> ids.add(each.getAttributes().getId())));
        assertEquals(2, ids.size());
        assertEquals(made, Set.copyOf(ids));
    }

    @Test
    void aPodsStatsHaveItsContainersItsNetworkAndItsProcesses() {
        var pod = CRI.pod(config -> config.putLabels("app", "sail"));
        Set<String> containers = Set.of(CRI.sleeper(pod), CRI.sleeper(pod));
        PodSandboxStats stats = podStats(pod.id());
        assertEquals(pod.id(), stats.getAttributes().getId());
        assertEquals(pod.config().getMetadata(), stats.getAttributes().getMetadata());
        assertEquals(Map.of("app", "sail"), stats.getAttributes().getLabelsMap());
        assertEquals(containers, stats.getLinux().getContainersList().stream().map(each -> each.getAttributes().getId())
                .collect(Collectors.toSet()));
        assertEquals("eth0", stats.getLinux().getNetwork().getDefaultInterface().getName());
        assertTrue(stats.getLinux().getProcess().getProcessCount().getValue() >= 2);
        assertTrue(stats.getLinux().getCpu().getUsageCoreNanoSeconds().getValue() > 0);
        assertTrue(stats.getLinux().getMemory().getWorkingSetBytes().getValue() > 0);
    }

    @Test
    void aPodsTrafficIsCounted() {
        var pod = CRI.pod();
        String container = CRI.sleeper(pod);
        long before = podStats(pod.id()).getLinux().getNetwork().getDefaultInterface().getTxBytes().getValue();
        String gateway = CRI.out(container, "sh", "-c", "ip route | grep default | cut -d' ' -f3").strip();
        CRI.exec(container, "ping", "-c", "2", "-i", "0.2", "-s", "1000", gateway);
        assertTrue(podStats(pod.id()).getLinux().getNetwork().getDefaultInterface().getTxBytes().getValue() >= before + 2000);
    }

    @Test
    void listsAndStreamsOfPodStatsAreFiltered() {
        var pod = CRI.pod(config -> config.putLabels("test", "pod-stats"));
        CRI.pod();
        var filter = PodSandboxStatsFilter.newBuilder().putLabelSelector("test", "pod-stats").build();
        assertEquals(List.of(pod.id()), CRI.runtime().listPodSandboxStats(ListPodSandboxStatsRequest.newBuilder().setFilter(filter)
                .build()).getStatsList().stream().map(each -> each.getAttributes().getId()).toList());
        assertEquals(List.of(pod.id()), CRI.runtime().listPodSandboxStats(ListPodSandboxStatsRequest.newBuilder()
                .setFilter(PodSandboxStatsFilter.newBuilder().setId(pod.id())).build()).getStatsList().stream()
                .map(each -> each.getAttributes().getId()).toList());
        List<String> streamed = new ArrayList<>();
        CRI.runtime().streamPodSandboxStats(StreamPodSandboxStatsRequest.newBuilder().setFilter(filter).build())
                .forEachRemaining(part -> part.getPodSandboxStatsList().forEach(each -> streamed.add(each.getAttributes().getId())));
        assertEquals(List.of(pod.id()), streamed);
    }

    @Test
    void unknownIdsHaveNoStats() {
        Cri.refused(Status.Code.NOT_FOUND, () -> stats("no-such-container"));
        Cri.refused(Status.Code.NOT_FOUND, () -> podStats("no-such-pod"));
    }

    @Test
    void everyMetricIsDescribedAndHasAValueForEachLabel() {
        Map<String, MetricDescriptor> descriptors = CRI.runtime().listMetricDescriptors(
                ListMetricDescriptorsRequest.getDefaultInstance()).getDescriptorsList().stream()
                .collect(Collectors.toMap(MetricDescriptor::getName, each -> each));
        assertTrue(descriptors.size() > 30, () -> descriptors.size() + " metrics");
        var pod = CRI.pod();
        String container = CRI.sleeper(pod);
        var metrics = CRI.runtime().listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance()).getPodMetricsList()
                .stream().filter(each -> each.getPodSandboxId().equals(pod.id())).findFirst().orElseThrow();
        var ofContainer = metrics.getContainerMetricsList().stream().filter(each -> each.getContainerId().equals(container))
                .findFirst().orElseThrow();
        Map<String, Integer> seen = new HashMap<>();
        List<io.berth.cri.v1.Metric> all = new ArrayList<>(metrics.getMetricsList());
        all.addAll(ofContainer.getMetricsList());
        all.forEach(metric -> {
            seen.merge(metric.getName(), 1, Integer::sum);
            assertTrue(descriptors.containsKey(metric.getName()), metric::getName);
            assertEquals(descriptors.get(metric.getName()).getLabelKeysCount(), metric.getLabelValuesCount(), metric.getName());
        });
        for (String name : List.of("container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
                "container_network_receive_bytes_total", "container_processes", "container_threads")) {
            assertTrue(seen.containsKey(name), () -> name + " is missing in " + seen.keySet());
        }
    }

    @Test
    void theStreamOfMetricsHasEachPodOnce() {
        Set<String> made = Set.of(CRI.pod().id(), CRI.pod().id());
        List<String> streamed = new ArrayList<>();
        CRI.runtime().streamPodSandboxMetrics(StreamPodSandboxMetricsRequest.getDefaultInstance())
                .forEachRemaining(part -> part.getPodSandboxMetricsList().forEach(each -> streamed.add(each.getPodSandboxId())));
        assertEquals(streamed.size(), Set.copyOf(streamed).size());
        assertTrue(streamed.containsAll(made));
    }

    @Test
    void imagesTakeRoomOnAFileSystemThatIsThere() {
        var info = CRI.imageService().imageFsInfo(ImageFsInfoRequest.getDefaultInstance());
        var images = info.getImageFilesystems(0);
        assertTrue(images.getUsedBytes().getValue() > 1_000_000, images::toString);
        assertTrue(images.getInodesUsed().getValue() > 0);
        assertTrue(images.getTimestamp() > 0);
        assertTrue(Files.isDirectory(Path.of(images.getFsId().getMountpoint())), images::toString);
    }
}
