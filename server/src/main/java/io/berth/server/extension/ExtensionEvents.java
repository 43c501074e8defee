package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerEventType;
import io.berth.extension.LifecycleEvent;
import io.berth.extension.LifecycleListener;
import io.berth.extension.Pod;
import io.berth.pod.events.ContainerEvent;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.events.EventSubscription;
import io.berth.pod.record.Container;
import io.berth.pod.record.Inventory;
import io.berth.pod.record.Sandbox;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells one extension of pods and containers, on a thread of its own behind a queue of its own. Ends do not depend on the queue:
 * those that the extension has not heard of are told when it starts, and after it has lost events.
 */
final class ExtensionEvents implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ExtensionEvents.class);

    private final LoadedExtension extension;
    private final LifecycleListener listener;
    private final ContainerEvents source;
    private final Inventory inventory;
    private final HeardEnds heard;
    private volatile EventSubscription subscription;
    private volatile boolean closed;

    /** @param notes directory where it is kept which ends the extension was told of */
    ExtensionEvents(LoadedExtension extension, LifecycleListener listener, ContainerEvents source, Inventory inventory,
            Path notes) {
        this.extension = extension;
        this.listener = listener;
        this.source = source;
        this.inventory = inventory;
        this.heard = HeardEnds.open(notes, Stream.concat(endedContainers().map(Container::id), endedPods().map(Sandbox::id))
                .toList());
        this.subscription = source.subscribe();
    }

    /** Begins to tell. */
    void start() {
        Thread.ofVirtual().name("events of extension " + extension.name()).start(this::run);
    }

    private void run() {
        missed();
        while (!closed) {
            try {
                Optional<ContainerEvent> next = subscription.next();
                if (next.isEmpty()) {
                    return;
                }
                hear(next.get());
            } catch (RuntimeFault fault) {
                if (fault.kind() != RuntimeFault.Kind.RESOURCE_EXHAUSTED || closed) {
                    return;
                }
                extension.guard().failed("events were lost: it does not keep up");
                LOG.atWarn().addKeyValue("extension", extension.name()).log("extension does not keep up, events are lost");
                subscription = source.subscribe();
                missed();
            }
        }
    }

    // After the subscription: what ends from now on comes by that, and what comes twice is told once.
    private void missed() {
        heard.retain(Stream.concat(inventory.containers().stream().map(Container::id),
                inventory.sandboxes().stream().map(Sandbox::id)).collect(Collectors.toSet()));
        endedContainers().filter(each -> !heard.has(each.id())).sorted(Comparator.comparingLong(each -> each.exit().atNanos()))
                .forEach(each -> hear(new ContainerEvent(each.id(), ContainerEventType.CONTAINER_STOPPED_EVENT,
                        each.exit().atNanos(), inventory.findSandbox(each.sandboxId()), List.of(each))));
        endedPods().filter(each -> !heard.has(each.id())).forEach(each -> hear(new ContainerEvent(each.id(),
                ContainerEventType.CONTAINER_STOPPED_EVENT, UnixTime.now(), Optional.of(each), inventory.containersOf(each.id()))));
    }

    // In removal, it has ended as well.
    private Stream<Container> endedContainers() {
        return inventory.containers().stream().filter(each -> each.phase() == Container.Phase.EXITED
                || each.phase() == Container.Phase.REMOVING && !each.exit().equals(Container.Exit.NONE));
    }

    private Stream<Sandbox> endedPods() {
        return inventory.sandboxes().stream().filter(each -> each.phase() == Sandbox.Phase.STOPPED);
    }

    private void hear(ContainerEvent event) {
        switch (event.type()) {
            case CONTAINER_STOPPED_EVENT -> {
                if (!closed && !heard.has(event.id())) {
                    tell(event);
                    // Afterwards: whether one that was killed in between has been told, nobody can know.
                    heard.add(event.id());
                }
            }
            case CONTAINER_DELETED_EVENT -> {
                tell(event);
                heard.remove(event.id());
            }
            case CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT -> tell(event);
            case UNRECOGNIZED -> { }
        }
    }

    private void tell(ContainerEvent event) {
        Optional<LifecycleEvent> told = described(event);
        if (told.isEmpty()) {
            return;
        }
        try {
            extension.guard().call("hear of " + event.id(), () -> {
                listener.happened(told.get());
                return true;
            });
        } catch (RuntimeFault fault) {
            LOG.atWarn().addKeyValue("extension", extension.name()).addKeyValue("reason", fault.getMessage())
                    .log("extension did not take an event");
        }
    }

    private static Optional<LifecycleEvent> described(ContainerEvent event) {
        Optional<LifecycleEvent.Kind> kind = switch (event.type()) {
            case CONTAINER_CREATED_EVENT -> Optional.of(LifecycleEvent.Kind.CREATED);
            case CONTAINER_STARTED_EVENT -> Optional.of(LifecycleEvent.Kind.STARTED);
            case CONTAINER_STOPPED_EVENT -> Optional.of(LifecycleEvent.Kind.STOPPED);
            case CONTAINER_DELETED_EVENT -> Optional.of(LifecycleEvent.Kind.REMOVED);
            case UNRECOGNIZED -> Optional.empty();
        };
        // A pod that has gone altogether meanwhile is told of by its own removal, one that never was whole by nothing.
        return kind.flatMap(known -> event.sandbox().filter(Sandbox::isShown).map(sandbox -> {
            Optional<Container> container = event.containers().stream().filter(each -> each.id().equals(event.id())).findFirst();
            return new LifecycleEvent(known, event.id(), Instant.ofEpochSecond(0, at(event, container)), pod(sandbox),
                    container.map(ExtensionEvents::container));
        }));
    }

    // When it ended, which may be long before Berth came to know.
    private static long at(ContainerEvent event, Optional<Container> container) {
        return container.filter(each -> event.type() == ContainerEventType.CONTAINER_STOPPED_EVENT)
                .map(each -> each.exit().atNanos()).filter(nanos -> nanos > 0).orElse(event.atNanos());
    }

    private static Pod pod(Sandbox sandbox) {
        var config = sandbox.config();
        return new Pod(sandbox.id(), config.getMetadata().getNamespace(), config.getMetadata().getName(),
                config.getMetadata().getUid(), config.getLabelsMap(), config.getAnnotationsMap(), sandbox.handler(),
                sandbox.addresses());
    }

    private static io.berth.extension.Container container(Container container) {
        var config = container.config();
        OptionalInt code = container.phase() == Container.Phase.EXITED || container.phase() == Container.Phase.REMOVING
                ? OptionalInt.of(container.exit().code()) : OptionalInt.empty();
        return new io.berth.extension.Container(container.id(), config.getMetadata().getName(), container.imageRef(),
                config.getLabelsMap(), config.getAnnotationsMap(), code);
    }

    @Override
    public void close() {
        closed = true;
        subscription.close();
    }
}
