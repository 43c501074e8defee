package io.berth.server.rpc;

import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerFilter;
import io.berth.cri.v1.ListContainersResponse;
import io.berth.cri.v1.ListPodSandboxResponse;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxFilter;
import io.berth.cri.v1.StreamContainersResponse;
import io.berth.cri.v1.StreamPodSandboxesResponse;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import io.grpc.stub.StreamObserver;
import java.util.Comparator;
import java.util.stream.Stream;

/** The lists of sandboxes and containers, whole or in batches, newest first. */
final class ListRpcs {

    private final Node node;
    private final Answers answers;

    ListRpcs(Node node, Answers answers) {
        this.node = node;
        this.answers = answers;
    }

    void list(PodSandboxFilter filter, StreamObserver<ListPodSandboxResponse> observer) {
        answers.send("ListPodSandbox", "", observer,
                () -> ListPodSandboxResponse.newBuilder().addAllItems(sandboxes(filter).toList()).build());
    }

    void stream(PodSandboxFilter filter, StreamObserver<StreamPodSandboxesResponse> observer) {
        answers.stream("StreamPodSandboxes", observer, stream -> stream.sendInBatches(sandboxes(filter),
                batch -> StreamPodSandboxesResponse.newBuilder().addAllPodSandboxes(batch).build()));
    }

    private Stream<PodSandbox> sandboxes(PodSandboxFilter filter) {
        return node.inventory().sandboxes().stream().filter(SandboxMessages::isVisible)
                .filter(sandbox -> SandboxMessages.matches(filter, sandbox))
                .sorted(Comparator.comparingLong(Sandbox::createdAtNanos).reversed()).map(SandboxMessages::item);
    }

    void list(ContainerFilter filter, StreamObserver<ListContainersResponse> observer) {
        answers.send("ListContainers", "", observer,
                () -> ListContainersResponse.newBuilder().addAllContainers(containers(filter).toList()).build());
    }

    void stream(ContainerFilter filter, StreamObserver<StreamContainersResponse> observer) {
        answers.stream("StreamContainers", observer, stream -> stream.sendInBatches(containers(filter),
                batch -> StreamContainersResponse.newBuilder().addAllContainers(batch).build()));
    }

    private Stream<Container> containers(ContainerFilter filter) {
        return node.inventory().containers().stream().filter(ContainerMessages::isVisible)
                .filter(container -> ContainerMessages.matches(filter, container))
                .sorted(Comparator.comparingLong(io.berth.pod.record.Container::createdAtNanos).reversed())
                .map(ContainerMessages::item);
    }
}
