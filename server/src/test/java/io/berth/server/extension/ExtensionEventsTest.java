package io.berth.server.extension;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RandomId;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.ContainerMetadata;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.extension.Extension;
import io.berth.extension.LifecycleEvent;
import io.berth.extension.LifecycleListener;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.record.Container;
import io.berth.pod.record.Inventory;
import io.berth.pod.record.Sandbox;
import io.berth.store.FileRecordStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What one extension is told when events and daemons are lost. */
@Timeout(60)
class ExtensionEventsTest {

    private final String pod = RandomId.next();
    private final String container = RandomId.next();
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();

    @TempDir
    private Path root;

    private Inventory inventory;
    private ContainerEvents source;

    @BeforeEach
    void aPodWithAContainer() {
        inventory = new Inventory(new FileRecordStore(root.resolve("records")));
        source = new ContainerEvents(inventory);
        inventory.add(new Sandbox(pod, PodSandboxConfig.getDefaultInstance(), "runc", 1, Sandbox.Phase.READY, Set.of(), List.of(),
                false, "/g", Optional.empty()));
        inventory.add(new Container(container, pod, ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName("c")).build(), "i", "i", "runc", "/g/c", Optional.empty(), 15,
                Container.User.ROOT, List.of(), LinuxContainerResources.getDefaultInstance(), 1, Container.Phase.RUNNING,
                Optional.empty(), 1, Container.Exit.NONE, Optional.empty()));
    }

    private ExtensionEvents listen(LifecycleListener listener) {
        LoadedExtension extension = new LoadedExtension("sample", new Guard("sample", Duration.ofSeconds(30)), new Extension() { },
                Optional.empty(), Optional.of(listener), Optional.empty());
        return new ExtensionEvents(extension, listener, source, inventory, root.resolve("notes/sample.ends"));
    }

    private void note(LifecycleEvent event) {
        told.add(event.kind() + " " + event.container().map(each -> each.name() + " " + each.exitCode().orElse(-1)).orElse("pod"));
    }

    private Container end() {
        return inventory.changeContainer(container, old -> old.exited(new Container.Exit(7, 1_000, "Error", "")));
    }

    @Test
    void anEndAmongEventsThatWereLostIsToldOnce() throws InterruptedException {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (ExtensionEvents events = listen(event -> {
            called.countDown();
            goOn.await();
            if (event.kind() != LifecycleEvent.Kind.STARTED) {
                note(event);
            }
        })) {
            events.start();
            source.container(ContainerEventType.CONTAINER_STARTED_EVENT, container, pod);
            assertTrue(called.await(30, TimeUnit.SECONDS));
            for (int i = 0; i < 5000; i++) {
                source.container(ContainerEventType.CONTAINER_STARTED_EVENT, container, pod);
            }
            source.stopped(end());
            goOn.countDown();
            assertEquals("STOPPED c 7", told.poll(30, TimeUnit.SECONDS));
            source.container(ContainerEventType.CONTAINER_CREATED_EVENT, container, pod);
            assertEquals("CREATED c 7", told.poll(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void anEndOnRecordThatWasNotToldIsToldByTheNextDaemonAndNoMore() throws InterruptedException {
        listen(this::note).close();
        Container ended = end();
        for (String expected : new String[] {"STOPPED c 7", "CREATED c 7"}) {
            try (ExtensionEvents events = listen(this::note)) {
                // Recovery takes up the end again, as it were.
                source.stopped(ended);
                source.container(ContainerEventType.CONTAINER_CREATED_EVENT, container, pod);
                events.start();
                assertEquals(expected, told.poll(30, TimeUnit.SECONDS));
                if (expected.startsWith("STOPPED")) {
                    assertEquals("CREATED c 7", told.poll(30, TimeUnit.SECONDS));
                }
            }
        }
        assertEquals(0, told.size());
    }

    @Test
    void aPodThatNeverWasWholeIsNotToldOf() throws InterruptedException {
        try (ExtensionEvents events = listen(this::note)) {
            events.start();
            inventory.changeSandbox(pod, old -> old.with(Sandbox.Phase.CREATING));
            source.sandbox(ContainerEventType.CONTAINER_STOPPED_EVENT, pod);
            source.removed(inventory.sandbox(pod));
            inventory.changeSandbox(pod, old -> old.with(Sandbox.Phase.READY));
            source.sandbox(ContainerEventType.CONTAINER_STARTED_EVENT, pod);
            assertEquals("STARTED pod", told.poll(30, TimeUnit.SECONDS));
        }
    }
}
