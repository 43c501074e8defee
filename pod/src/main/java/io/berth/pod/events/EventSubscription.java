package io.berth.pod.events;

import io.berth.base.RuntimeFault;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The events that wait for one client. A client that does not keep up loses the subscription and is told so: it has to list
 * again, where with a silent gap it would believe what is no longer so. Thread-safe; closed by who subscribed.
 */
public final class EventSubscription implements AutoCloseable {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<ContainerEvent> waiting = new ArrayDeque<>();
    private final int limit;
    private final Consumer<EventSubscription> unsubscribe;
    private Optional<RuntimeFault> failure = Optional.empty();
    private boolean closed;

    /** @param unsubscribe called when no further event is wanted, perhaps more than once */
    EventSubscription(int limit, Consumer<EventSubscription> unsubscribe) {
        this.limit = limit;
        this.unsubscribe = unsubscribe;
    }

    /** Queues an event; never waits. */
    void offer(ContainerEvent event) {
        lock.lock();
        try {
            if (closed || failure.isPresent()) {
                return;
            }
            if (waiting.size() < limit) {
                waiting.add(event);
                changed.signalAll();
                return;
            }
        } finally {
            lock.unlock();
        }
        fail(new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "listen to events: " + limit
                + " events wait for this client, later ones are lost: connect again and list what is there"));
    }

    /** Ends the subscription; its reader gets {@code why} after the events that wait already. */
    void fail(RuntimeFault why) {
        lock.lock();
        try {
            failure = failure.or(() -> Optional.of(why));
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        unsubscribe.accept(this);
    }

    /**
     * Waits for the next event; empty once the subscription is closed.
     *
     * @throws RuntimeFault RESOURCE_EXHAUSTED when this reader was too slow, UNAVAILABLE when the daemon ends
     */
    public Optional<ContainerEvent> next() {
        lock.lock();
        try {
            while (waiting.isEmpty() && failure.isEmpty() && !closed) {
                changed.await();
            }
            if (closed) {
                return Optional.empty();
            }
            if (!waiting.isEmpty()) {
                return Optional.of(waiting.poll());
            }
            throw failure.orElseThrow();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "listen to events: interrupted", e);
        } finally {
            lock.unlock();
        }
    }

    /** Ends the subscription at once; what waits is dropped. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        unsubscribe.accept(this);
    }
}
