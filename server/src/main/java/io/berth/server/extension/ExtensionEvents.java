package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import io.berth.extension.LifecycleEvent;
import io.berth.extension.LifecycleListener;
import io.berth.extension.Pod;
import io.berth.pod.events.ContainerEvent;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.events.EventSubscription;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells one extension of pods and containers, on a thread of its own behind a queue of its own. */
final class ExtensionEvents implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ExtensionEvents.class);

    private final LoadedExtension extension;
    private final LifecycleListener listener;
    private final ContainerEvents source;
    private volatile EventSubscription subscription;
    private volatile boolean closed;

    private ExtensionEvents(LoadedExtension extension, LifecycleListener listener, ContainerEvents source) {
        this.extension = extension;
        this.listener = listener;
        this.source = source;
        this.subscription = source.subscribe();
    }

    static ExtensionEvents start(LoadedExtension extension, LifecycleListener listener, ContainerEvents source) {
        ExtensionEvents events = new ExtensionEvents(extension, listener, source);
        Thread.ofVirtual().name("events of extension " + extension.name()).start(events::run);
        return events;
    }

    private void run() {
        while (!closed) {
            try {
                Optional<ContainerEvent> next = subscription.next();
                if (next.isEmpty()) {
                    return;
                }
                tell(next.get());
            } catch (RuntimeFault fault) {
                if (fault.kind() != RuntimeFault.Kind.RESOURCE_EXHAUSTED || closed) {
                    return;
                }
                extension.guard().failed("events were lost: it does not keep up");
                LOG.atWarn().addKeyValue("extension", extension.name()).log("extension does not keep up, events are lost");
                subscription = source.subscribe();
            }
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
        // A pod that has gone altogether meanwhile is told of by its own removal.
        return kind.flatMap(known -> event.sandbox().map(sandbox -> new LifecycleEvent(known, event.id(),
                Instant.ofEpochSecond(0, event.atNanos()), pod(sandbox), event.containers().stream()
                        .filter(container -> container.id().equals(event.id())).findFirst().map(ExtensionEvents::container))));
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
