package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerEventResponse;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.GetEventsRequest;
import io.berth.cri.v1.RuntimeServiceGrpc;
import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The stream of events, from which the kubelet learns what has changed. */
@Timeout(120)
class EventsConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    /** A client of the stream; it hangs up when it is closed. */
    private static final class Listener implements AutoCloseable, StreamObserver<ContainerEventResponse> {
        private final List<ContainerEventResponse> events = new CopyOnWriteArrayList<>();
        private volatile Throwable failure;
        private final Context.CancellableContext context = Context.current().withCancellation();

        Listener() {
            context.run(() -> RuntimeServiceGrpc.newStub(CRI.underTest().connection().channel())
                    .getContainerEvents(GetEventsRequest.getDefaultInstance(), this));
            // The stream has begun when an event comes through it: a pod of its own tells.
            Cri.await("the stream of events", () -> {
                var probe = CRI.pod();
                CRI.remove(probe);
                assertNull(failure, "the stream of events has ended");
                return !events.isEmpty();
            });
        }

        List<ContainerEventType> of(String id) {
            return events.stream().filter(event -> event.getContainerId().equals(id))
                    .map(ContainerEventResponse::getContainerEventType).toList();
        }

        void await(String id, ContainerEventType type) {
            Cri.await(type + " of " + id, () -> of(id).contains(type));
        }

        @Override
        public void onNext(ContainerEventResponse event) {
            events.add(event);
        }

        @Override
        public void onError(Throwable ended) {
            failure = ended;
        }

        @Override
        public void onCompleted() {}

        @Override
        public void close() {
            context.cancel(null);
        }
    }

    private static final List<ContainerEventType> LIFE = List.of(ContainerEventType.CONTAINER_CREATED_EVENT,
            ContainerEventType.CONTAINER_STARTED_EVENT, ContainerEventType.CONTAINER_STOPPED_EVENT,
            ContainerEventType.CONTAINER_DELETED_EVENT);

    @Test
    void theLifeOfAContainerAndItsPodIsToldInOrder() {
        try (Listener listener = new Listener()) {
            var pod = CRI.pod();
            String container = CRI.run(pod, config -> { }, "sh", "-c", "exit 3");
            CRI.ended(container);
            CRI.remove(pod);
            listener.await(pod.id(), ContainerEventType.CONTAINER_DELETED_EVENT);
            assertEquals(LIFE, listener.of(container));
            assertEquals(LIFE, listener.of(pod.id()));
        }
    }

    @Test
    void anEventHasTheStatusOfPodAndContainers() {
        try (Listener listener = new Listener()) {
            var pod = CRI.pod();
            String container = CRI.run(pod, config -> { }, "sh", "-c", "exit 3");
            listener.await(container, ContainerEventType.CONTAINER_STOPPED_EVENT);
            var event = listener.events.stream().filter(each -> each.getContainerId().equals(container)
                    && each.getContainerEventType() == ContainerEventType.CONTAINER_STOPPED_EVENT).findFirst().orElseThrow();
            assertEquals(pod.id(), event.getPodSandboxStatus().getId());
            assertTrue(event.getCreatedAt() > 0);
            var status = event.getContainersStatusesList().stream().filter(each -> each.getId().equals(container)).findFirst().orElseThrow();
            assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
            assertEquals(3, status.getExitCode());
        }
    }

    @Test
    void everyClientGetsAllEvents() {
        try (Listener first = new Listener(); Listener second = new Listener()) {
            var pod = CRI.pod();
            String container = CRI.sleeper(pod);
            CRI.remove(pod);
            for (Listener each : List.of(first, second)) {
                each.await(pod.id(), ContainerEventType.CONTAINER_DELETED_EVENT);
                assertEquals(LIFE, each.of(container));
            }
        }
    }
}
