package io.berth.server.console;

import io.berth.base.RuntimeFault;
import io.berth.pod.events.ContainerEvent;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.events.EventSubscription;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The newest {@value #KEPT} changes in the lives of pods and containers, also those from before a page was opened: what has
 * just happened is why it is opened. Thread-safe.
 */
final class RecentEvents implements AutoCloseable {

    static final int KEPT = 200;

    /** @param number counts up from 1 */
    record Numbered(long number, ObjectNode message) {}

    private final ContainerEvents source;
    private final ArrayDeque<Numbered> kept = new ArrayDeque<>();
    private Optional<EventSubscription> subscription = Optional.empty();
    private boolean closed;
    private long count;

    RecentEvents(ContainerEvents source) {
        this.source = source;
    }

    /** Begins to listen, on a thread of its own. */
    void start() {
        Thread.ofVirtual().name("console-events").start(this::listen);
    }

    private void listen() {
        Optional<EventSubscription> mine = subscribe();
        while (mine.isPresent()) {
            try {
                Optional<ContainerEvent> event = mine.get().next();
                while (event.isPresent()) {
                    keep(event.get());
                    event = mine.get().next();
                }
                return;
            } catch (RuntimeFault tooSlowOrEnding) {
                mine = subscribe();
            }
        }
    }

    private synchronized Optional<EventSubscription> subscribe() {
        try {
            subscription = closed ? Optional.empty() : Optional.of(source.subscribe());
        } catch (RuntimeFault ending) {
            subscription = Optional.empty();
        }
        return subscription;
    }

    private synchronized void keep(ContainerEvent event) {
        if (kept.size() == KEPT) {
            kept.removeFirst();
        }
        count++;
        kept.addLast(new Numbered(count, message(count, event)));
    }

    private static ObjectNode message(long number, ContainerEvent event) {
        String type = event.type().name().replaceFirst("^CONTAINER_", "").replaceFirst("_EVENT$", "").toLowerCase(Locale.ROOT);
        Optional<Container> container = event.containers().stream().filter(each -> each.id().equals(event.id())).findFirst();
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "event").put("number", number).put("at", PodRows.millis(event.atNanos())).put("type", type)
                .put("id", event.id()).put("podId", event.sandbox().map(Sandbox::id).orElse(""))
                .put("pod", event.sandbox().map(Sandbox::podName).orElse(""))
                .put("container", container.map(each -> each.config().getMetadata().getName()).orElse(""))
                .put("ofPod", event.sandbox().map(sandbox -> sandbox.id().equals(event.id())).orElse(false));
        container.filter(each -> type.equals("stopped")).ifPresent(each -> message.put("exitCode", each.exit().code())
                .put("reason", each.exit().reason()));
        return message;
    }

    /** Those later than {@code number}, oldest first. */
    synchronized List<Numbered> after(long number) {
        return number == count ? List.of() : kept.stream().filter(each -> each.number > number).toList();
    }

    @Override
    public synchronized void close() {
        closed = true;
        subscription.ifPresent(EventSubscription::close);
    }
}
