package io.berth.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.KeyedLocks;
import io.berth.base.Timeline;
import io.berth.cri.v1.ContainerEventResponse;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.GetEventsRequest;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.ListPodSandboxMetricsRequest;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxStatsRequest;
import io.berth.cri.v1.RuntimeServiceGrpc;
import io.berth.cri.v1.StreamContainersRequest;
import io.berth.cri.v1.StreamPodSandboxMetricsRequest;
import io.berth.cri.v1.StreamPodSandboxesRequest;
import io.berth.linux.Cgroups;
import io.berth.pod.Directories;
import io.berth.pod.Node;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.extension.LifecycleHooks;
import io.berth.pod.record.Inventory;
import io.berth.server.config.Config;
import io.berth.server.rpc.Answers;
import io.berth.server.rpc.CallWatch;
import io.berth.server.rpc.RuntimeRpcs;
import io.berth.server.rpc.SampleRecords;
import io.berth.snapshot.Snapshots;
import io.berth.snapshot.Snapshotters;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streaming calls through a real socket; nothing runs behind the records. */
class StreamedAnswersTest {

    @TempDir
    Path root;

    private final Inventory inventory = new Inventory(SampleRecords.NOWHERE);
    private final ContainerEvents events = new ContainerEvents(inventory);
    private SocketServer server;
    private EventLoopGroup loop;
    private ManagedChannel channel;

    @BeforeEach
    void serve() throws Exception {
        Node node = new Node(new Directories(root, root), null, inventory, null, Snapshotters.only(new Snapshots(root)), null, Map.of(),
                Cgroups.at(Map.of(), Optional.empty()), null, null, events, new Timeline(), new KeyedLocks<>(),
                LifecycleHooks.NONE, null);
        Answers answers = new Answers(CallWatch.NONE);
        Path socket = root.resolve("s");
        server = SocketServer.start(new Config.Grpc(socket, (int) Files.getAttribute(root, "unix:uid"),
                (int) Files.getAttribute(root, "unix:gid"), 0600, 16 << 20),
                List.of(new RuntimeRpcs(node, null, null, null, answers)), Optional.empty());
        loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollDomainSocketChannel.class).eventLoopGroup(loop).usePlaintext()
                .overrideAuthority("localhost").build();
    }

    @AfterEach
    void end() {
        events.close();
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        server.close();
    }

    private RuntimeServiceGrpc.RuntimeServiceBlockingStub client() {
        return RuntimeServiceGrpc.newBlockingStub(channel);
    }

    private void started(String id) {
        events.container(ContainerEventType.CONTAINER_STARTED_EVENT, id, "s1");
    }

    @Test
    void aStreamedListHasEverySandboxOnce() {
        for (int i = 0; i < 1100; i++) {
            inventory.add(SampleRecords.sandbox("s" + i));
        }
        List<String> ids = new ArrayList<>();
        client().streamPodSandboxes(StreamPodSandboxesRequest.getDefaultInstance()).forEachRemaining(answer ->
                answer.getPodSandboxesList().stream().map(PodSandbox::getId).forEach(ids::add));
        assertEquals(1100, ids.size());
        assertEquals(1100, Set.copyOf(ids).size());
    }

    @Test
    void anEmptyStreamedListEndsWithoutAnAnswer() {
        assertTrue(!client().streamContainers(StreamContainersRequest.getDefaultInstance()).hasNext());
    }

    @Test
    void metricsOfAContainerWhoseGroupIsGoneDoNotSpoilTheList() {
        inventory.add(SampleRecords.sandbox("s1"));
        inventory.add(SampleRecords.container("c1", "s1", LinuxContainerResources.getDefaultInstance()));
        assertEquals(1, client().listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
                .getPodMetricsCount());
        assertEquals("s1", client().streamPodSandboxMetrics(StreamPodSandboxMetricsRequest.getDefaultInstance()).next()
                .getPodSandboxMetrics(0).getPodSandboxId());
    }

    @Test
    void statsOfAnUnknownPodAreNotFound() {
        StatusRuntimeException failure = assertThrows(StatusRuntimeException.class, () ->
                client().podSandboxStats(PodSandboxStatsRequest.newBuilder().setPodSandboxId("nothing").build()));
        assertEquals(Status.Code.NOT_FOUND, failure.getStatus().getCode());
    }

    @Test
    void eventsReachAClientUntilTheDaemonEnds() throws Exception {
        inventory.add(SampleRecords.sandbox("s1"));
        Iterator<ContainerEventResponse> stream = client().getContainerEvents(GetEventsRequest.getDefaultInstance());
        awaitSubscription(stream);
        started("c1");
        ContainerEventResponse event = stream.next();
        while (!event.getContainerId().equals("c1")) {
            event = stream.next();
        }
        assertEquals(ContainerEventType.CONTAINER_STARTED_EVENT, event.getContainerEventType());
        assertEquals("web", event.getPodSandboxStatus().getMetadata().getName());
        events.close();
        StatusRuntimeException end = assertThrows(StatusRuntimeException.class, stream::hasNext);
        assertEquals(Status.Code.UNAVAILABLE, end.getStatus().getCode());
    }

    // A client cannot know when its subscription begins: probes tell.
    private void awaitSubscription(Iterator<ContainerEventResponse> stream) {
        CompletableFuture<Void> first = CompletableFuture.runAsync(stream::hasNext);
        while (!first.isDone()) {
            started("probe");
            try {
                first.get(10, TimeUnit.MILLISECONDS);
            } catch (Exception notYet) {
                continue;
            }
        }
    }

    @Test
    void aClientThatReadsNothingLosesItsStreamAndIsToldSo() throws Exception {
        SlowClient client = new SlowClient();
        RuntimeServiceGrpc.newStub(channel).getContainerEvents(GetEventsRequest.getDefaultInstance(), client);
        client.calls.request(1);
        while (client.ids.isEmpty()) {
            started("probe");
            Thread.sleep(5);
        }
        // More than the queue and what the transport has taken.
        for (int i = 0; i < 20_000; i++) {
            started("e" + i);
        }
        client.calls.request(1_000_000);
        Status status = client.end.get(30, TimeUnit.SECONDS);
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, status.getCode(), status::toString);
        List<String> got = client.ids.stream().filter(id -> id.startsWith("e")).toList();
        for (int i = 0; i < got.size(); i++) {
            assertEquals("e" + i, got.get(i), "nothing is missing before the end");
        }
        assertTrue(got.size() < 20_000);
        assertEquals(got.size(), new HashSet<>(got).size());
    }

    private static final class SlowClient implements ClientResponseObserver<GetEventsRequest, ContainerEventResponse> {
        final List<String> ids = new CopyOnWriteArrayList<>();
        final CompletableFuture<Status> end = new CompletableFuture<>();
        ClientCallStreamObserver<GetEventsRequest> calls;

        @Override
        public void beforeStart(ClientCallStreamObserver<GetEventsRequest> call) {
            calls = call;
            call.disableAutoRequestWithInitial(0);
        }

        @Override
        public void onNext(ContainerEventResponse event) {
            ids.add(event.getContainerId());
        }

        @Override
        public void onError(Throwable failure) {
            end.complete(Status.fromThrowable(failure));
        }

        @Override
        public void onCompleted() {
            end.complete(Status.OK);
        }
    }
}
