package io.berth.pod.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.pod.record.Inventory;
import io.berth.pod.record.Sandbox;
import io.berth.store.RecordStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ContainerEventsTest {

    /** Keeps nothing: what is published lives in the inventory. */
    private static final RecordStore NOWHERE = new RecordStore() {
        @Override
        public void put(String kind, String id, byte[] document) {}

        @Override
        public void remove(String kind, String id) {}

        @Override
        public Map<String, byte[]> all(String kind) {
            return Map.of();
        }
    };

    private final Inventory inventory = new Inventory(NOWHERE);
    private final ContainerEvents events = new ContainerEvents(inventory);

    private static Sandbox sandbox() {
        return new Sandbox("s1", PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder().setName("web").setNamespace("shop").setUid("u")).build(),
                "runc", 1, Sandbox.Phase.READY, Set.of(), List.of(), false, "/berth/s1", Optional.empty());
    }

    private void started(String id) {
        events.container(ContainerEventType.CONTAINER_STARTED_EVENT, id, "s1");
    }

    @Test
    void anEventTellsOfItsSandbox() {
        inventory.add(sandbox());
        try (EventSubscription subscription = events.subscribe()) {
            events.sandbox(ContainerEventType.CONTAINER_CREATED_EVENT, "s1");
            ContainerEvent event = subscription.next().orElseThrow();
            assertEquals("s1", event.id());
            assertEquals("web", event.sandbox().orElseThrow().config().getMetadata().getName());
            assertTrue(event.atNanos() > 0);
        }
    }

    @Test
    void theLastEventOfASandboxStillTellsOfIt() {
        try (EventSubscription subscription = events.subscribe()) {
            events.removed(sandbox());
            ContainerEvent event = subscription.next().orElseThrow();
            assertEquals(ContainerEventType.CONTAINER_DELETED_EVENT, event.type());
            assertEquals("shop", event.sandbox().orElseThrow().config().getMetadata().getNamespace());
        }
    }

    @Test
    void everySubscriberGetsEveryEventInOrder() {
        try (EventSubscription first = events.subscribe(); EventSubscription second = events.subscribe()) {
            for (int i = 0; i < 100; i++) {
                started("c" + i);
            }
            for (EventSubscription each : List.of(first, second)) {
                for (int i = 0; i < 100; i++) {
                    assertEquals("c" + i, each.next().orElseThrow().id());
                }
            }
        }
    }

    @Test
    void manyPublishersLoseNothingForALiveReader() throws Exception {
        try (EventSubscription subscription = events.subscribe()) {
            List<Thread> publishers = new ArrayList<>();
            for (int publisher = 0; publisher < 8; publisher++) {
                String name = "p" + publisher + "-";
                publishers.add(Thread.startVirtualThread(() -> {
                    for (int i = 0; i < 500; i++) {
                        started(name + i);
                    }
                }));
            }
            Set<String> seen = new java.util.HashSet<>();
            for (int i = 0; i < 4000; i++) {
                seen.add(subscription.next().orElseThrow().id());
            }
            for (Thread publisher : publishers) {
                publisher.join();
            }
            assertEquals(4000, seen.size());
        }
    }

    @Test
    void aReaderThatDoesNotKeepUpGetsWhatWaitsAndThenAClearFault() {
        try (EventSubscription slow = events.subscribe(); EventSubscription live = events.subscribe()) {
            for (int i = 0; i <= ContainerEvents.QUEUE_LIMIT; i++) {
                started("c" + i);
                assertEquals("c" + i, live.next().orElseThrow().id());
            }
            for (int i = 0; i < ContainerEvents.QUEUE_LIMIT; i++) {
                assertEquals("c" + i, slow.next().orElseThrow().id());
            }
            RuntimeFault fault = assertThrows(RuntimeFault.class, slow::next);
            assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind());
            started("later");
            assertEquals("later", live.next().orElseThrow().id());
            assertThrows(RuntimeFault.class, slow::next);
        }
    }

    @Test
    void closingWakesAReaderThatWaits() throws Exception {
        EventSubscription subscription = events.subscribe();
        CompletableFuture<Optional<ContainerEvent>> reader = new CompletableFuture<>();
        Thread.startVirtualThread(() -> reader.complete(subscription.next()));
        subscription.close();
        assertEquals(Optional.empty(), reader.get());
    }

    @Test
    void theEndOfTheDaemonEndsSubscriptionsAndRefusesNewOnes() {
        EventSubscription subscription = events.subscribe();
        started("c");
        events.close();
        assertEquals("c", subscription.next().orElseThrow().id());
        assertEquals(RuntimeFault.Kind.UNAVAILABLE, assertThrows(RuntimeFault.class, subscription::next).kind());
        assertEquals(RuntimeFault.Kind.UNAVAILABLE, assertThrows(RuntimeFault.class, events::subscribe).kind());
        started("after");
    }
}
