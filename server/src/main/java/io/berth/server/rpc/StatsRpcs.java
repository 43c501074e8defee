package io.berth.server.rpc;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerStats;
import io.berth.cri.v1.ContainerStatsFilter;
import io.berth.cri.v1.ContainerStatsResponse;
import io.berth.cri.v1.ListContainerStatsResponse;
import io.berth.cri.v1.ListMetricDescriptorsResponse;
import io.berth.cri.v1.ListPodSandboxMetricsResponse;
import io.berth.cri.v1.ListPodSandboxStatsResponse;
import io.berth.cri.v1.PodSandboxMetrics;
import io.berth.cri.v1.PodSandboxStats;
import io.berth.cri.v1.PodSandboxStatsFilter;
import io.berth.cri.v1.PodSandboxStatsResponse;
import io.berth.cri.v1.StreamContainerStatsResponse;
import io.berth.cri.v1.StreamPodSandboxMetricsResponse;
import io.berth.cri.v1.StreamPodSandboxStatsResponse;
import io.berth.linux.FilesystemSpace;
import io.berth.pod.Node;
import io.berth.pod.stats.ContainerUsage;
import io.berth.pod.stats.MeasureContainer;
import io.berth.pod.stats.MeasurePod;
import io.berth.pod.stats.PodUsage;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Stream;

/** What containers and pods use, and their metrics; lists whole or in batches. */
final class StatsRpcs {

    private final Node node;
    private final Answers answers;
    private final MeasureContainer measureContainer;
    private final MeasurePod measurePod;
    private final StatsMessages messages;

    StatsRpcs(Node node, Answers answers) {
        this.node = node;
        this.answers = answers;
        this.measureContainer = new MeasureContainer(node);
        this.measurePod = new MeasurePod(node, measureContainer);
        this.messages = new StatsMessages(node.directories().root().toString());
    }

    void container(String id, StreamObserver<ContainerStatsResponse> observer) {
        answers.send("ContainerStats", id, observer, () -> ContainerStatsResponse.newBuilder()
                .setStats(messages.container(measureContainer.measure(node.inventory().container(id)))).build());
    }

    void listContainers(ContainerStatsFilter filter, StreamObserver<ListContainerStatsResponse> observer) {
        answers.send("ListContainerStats", "", observer,
                () -> ListContainerStatsResponse.newBuilder().addAllStats(containers(filter).toList()).build());
    }

    void streamContainers(ContainerStatsFilter filter, StreamObserver<StreamContainerStatsResponse> observer) {
        answers.stream("StreamContainerStats", observer, stream -> stream.sendInBatches(containers(filter),
                batch -> StreamContainerStatsResponse.newBuilder().addAllContainerStats(batch).build()));
    }

    private Stream<ContainerStats> containers(ContainerStatsFilter filter) {
        return measureContainer.measureRunning(node.inventory().containers().stream()
                .filter(container -> StatsMessages.matches(filter, container)).toList()).map(messages::container);
    }

    void pod(String id, StreamObserver<PodSandboxStatsResponse> observer) {
        answers.send("PodSandboxStats", id, observer, () -> PodSandboxStatsResponse.newBuilder()
                .setStats(messages.pod(measurePod.measure(node.inventory().sandbox(id)))).build());
    }

    void listPods(PodSandboxStatsFilter filter, StreamObserver<ListPodSandboxStatsResponse> observer) {
        answers.send("ListPodSandboxStats", "", observer,
                () -> ListPodSandboxStatsResponse.newBuilder().addAllStats(pods(filter).toList()).build());
    }

    void streamPods(PodSandboxStatsFilter filter, StreamObserver<StreamPodSandboxStatsResponse> observer) {
        answers.stream("StreamPodSandboxStats", observer, stream -> stream.sendInBatches(pods(filter),
                batch -> StreamPodSandboxStatsResponse.newBuilder().addAllPodSandboxStats(batch).build()));
    }

    private Stream<PodSandboxStats> pods(PodSandboxStatsFilter filter) {
        return measurePod.measureReady(node.inventory().sandboxes().stream()
                .filter(sandbox -> StatsMessages.matches(filter, sandbox)).toList()).map(messages::pod);
    }

    void descriptors(StreamObserver<ListMetricDescriptorsResponse> observer) {
        answers.send("ListMetricDescriptors", "", observer, () -> ListMetricDescriptorsResponse.newBuilder()
                .addAllDescriptors(MetricFamily.descriptors()).build());
    }

    void listMetrics(StreamObserver<ListPodSandboxMetricsResponse> observer) {
        answers.send("ListPodSandboxMetrics", "", observer,
                () -> ListPodSandboxMetricsResponse.newBuilder().addAllPodMetrics(metrics().toList()).build());
    }

    void streamMetrics(StreamObserver<StreamPodSandboxMetricsResponse> observer) {
        answers.stream("StreamPodSandboxMetrics", observer, stream -> stream.sendInBatches(metrics(),
                batch -> StreamPodSandboxMetricsResponse.newBuilder().addAllPodSandboxMetrics(batch).build()));
    }

    private Stream<PodSandboxMetrics> metrics() {
        MetricMessages metrics = new MetricMessages(device(), FilesystemSpace.of(node.directories().root()));
        return measurePod.measureReady(node.inventory().sandboxes()).map(pod -> metrics(metrics, pod));
    }

    private PodSandboxMetrics metrics(MetricMessages metrics, PodUsage pod) {
        PodSandboxMetrics.Builder message = metrics.pod(pod);
        for (ContainerUsage container : pod.containers()) {
            measureContainer.details(container.container()).ifPresent(details ->
                    message.addContainerMetrics(metrics.container(pod.sandbox(), container, details)));
        }
        return message.build();
    }

    private String device() {
        try {
            return Files.getFileStore(node.directories().root()).name();
        } catch (IOException e) {
            throw RuntimeFault.internal("name the file system of " + node.directories().root() + ": "
                    + RuntimeFault.reason(e), e);
        }
    }
}
