package io.berth.pod.events;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerEventType;
import io.berth.pod.record.Container;
import io.berth.pod.record.Inventory;
import io.berth.pod.record.Sandbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells subscribers of each change in the lives of containers and sandboxes. Thread-safe; telling never waits and never
 * fails, and costs nothing while nobody listens.
 *
 * <p>Events are put together and queued one at a time, so that every subscriber gets them in an order in which what they
 * tell of the pod never goes back.
 */
public final class ContainerEvents implements AutoCloseable {

    /** How many events may wait for one subscriber; each is a few references to records. */
    static final int QUEUE_LIMIT = 4096;

    private final Inventory inventory;
    private final List<EventSubscription> subscriptions = new CopyOnWriteArrayList<>();
    private final ReentrantLock order = new ReentrantLock();
    private boolean closed;

    public ContainerEvents(Inventory inventory) {
        this.inventory = inventory;
    }

    /** Begins to listen. The caller closes it. */
    public EventSubscription subscribe() {
        order.lock();
        try {
            if (closed) {
                throw ending();
            }
            EventSubscription subscription = new EventSubscription(QUEUE_LIMIT, subscriptions::remove);
            subscriptions.add(subscription);
            return subscription;
        } finally {
            order.unlock();
        }
    }

    /** Tells of a container, after the change is on record. */
    public void container(ContainerEventType type, String id, String sandboxId) {
        tell(type, id, sandboxId, Optional.empty());
    }

    /** Tells that a container has ended. */
    public void stopped(Container container) {
        container(ContainerEventType.CONTAINER_STOPPED_EVENT, container.id(), container.sandboxId());
    }

    /** Tells of a sandbox, after the change is on record. */
    public void sandbox(ContainerEventType type, String id) {
        tell(type, id, id, Optional.empty());
    }

    /** Tells that a sandbox is no longer on record. */
    public void removed(Sandbox last) {
        tell(ContainerEventType.CONTAINER_DELETED_EVENT, last.id(), last.id(), Optional.of(last));
    }

    private void tell(ContainerEventType type, String id, String sandboxId, Optional<Sandbox> last) {
        if (subscriptions.isEmpty()) {
            return;
        }
        order.lock();
        try {
            ContainerEvent event = new ContainerEvent(id, type, UnixTime.now(),
                    last.or(() -> inventory.findSandbox(sandboxId)),
                    inventory.containersOf(sandboxId).stream()
                            .filter(container -> container.phase() != Container.Phase.CREATING).toList());
            subscriptions.forEach(subscription -> subscription.offer(event));
        } finally {
            order.unlock();
        }
    }

    /** Ends all subscriptions, with a fault of kind UNAVAILABLE for their readers, and refuses new ones. */
    @Override
    public void close() {
        order.lock();
        try {
            closed = true;
            new ArrayList<>(subscriptions).forEach(subscription -> subscription.fail(ending()));
        } finally {
            order.unlock();
        }
    }

    private static RuntimeFault ending() {
        return new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE,
                "listen to events: the daemon is ending: connect again and list what is there");
    }
}
