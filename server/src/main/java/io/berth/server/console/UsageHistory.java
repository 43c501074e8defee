package io.berth.server.console;

import io.berth.linux.CgroupUsage;
import io.berth.linux.InterfaceCounters;
import io.berth.pod.Node;
import io.berth.pod.stats.ContainerUsage;
import io.berth.pod.stats.MeasureContainer;
import io.berth.pod.stats.MeasurePod;
import io.berth.pod.stats.PodUsage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What pods and containers used lately, measured while somebody looks and for nobody else. All pages share the samples.
 * Measuring takes a twentieth of one processor at most: with many pods it is done less often. Thread-safe.
 */
final class UsageHistory {

    static final int KEPT = 90;
    private static final Duration SHORTEST_PERIOD = Duration.ofSeconds(2);
    private static final int SHARE = 20;

    /** Figures of a pod or a container, compact because there are many: see {@link #message}. */
    private record Figures(long nanoCores, long memoryBytes, long receivedBytes, long sentBytes, long processes) {}

    /** @param number counts up from 1 */
    record Sample(long number, long atMillis, Map<String, Figures> figures) {}

    private final Node node;
    private final MeasurePod pods;
    private final ArrayDeque<Sample> kept = new ArrayDeque<>();
    private final ReentrantLock measuring = new ReentrantLock();
    private long count;
    private long dueAtNanos = System.nanoTime();

    UsageHistory(Node node) {
        this.node = node;
        this.pods = new MeasurePod(node, new MeasureContainer(node));
    }

    /** Samples later than {@code number}, oldest first; takes one when it is time and no other thread does. */
    List<Sample> after(long number) {
        if (measuring.tryLock()) {
            try {
                measureIfDue();
            } finally {
                measuring.unlock();
            }
        }
        synchronized (kept) {
            return number == count ? List.of() : kept.stream().filter(sample -> sample.number > number).toList();
        }
    }

    private void measureIfDue() {
        long from = System.nanoTime();
        if (from - dueAtNanos < 0) {
            return;
        }
        Map<String, Figures> figures = new HashMap<>();
        pods.measureReady(node.inventory().sandboxes()).forEach(pod -> {
            figures.put(pod.sandbox().id(), of(pod));
            pod.containers().forEach(container -> figures.put(container.container().id(), of(container)));
        });
        long now = System.nanoTime();
        dueAtNanos = from + Math.max(SHORTEST_PERIOD.toNanos(), (now - from) * SHARE);
        synchronized (kept) {
            if (kept.size() == KEPT) {
                kept.removeFirst();
            }
            count++;
            kept.addLast(new Sample(count, System.currentTimeMillis(), figures));
        }
    }

    private static Figures of(PodUsage pod) {
        List<InterfaceCounters> network = pod.network().orElse(List.of());
        return new Figures(rate(pod.nanoCores()), memory(pod.usage()),
                network.stream().mapToLong(InterfaceCounters::rxBytes).sum(),
                network.stream().mapToLong(InterfaceCounters::txBytes).sum(), pod.processes());
    }

    private static Figures of(ContainerUsage container) {
        return new Figures(rate(container.nanoCores()), memory(container.usage()), 0, 0, 0);
    }

    private static long rate(OptionalLong nanoCores) {
        return nanoCores.orElse(0);
    }

    private static long memory(Optional<CgroupUsage> usage) {
        return usage.map(figures -> figures.memory().workingSet()).orElse(0L);
    }

    /** Figures by id: nanoseconds of processor time a second, bytes of memory, bytes received and sent, processes. */
    static ObjectNode message(List<Sample> samples) {
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "usage");
        ArrayNode all = message.putArray("samples");
        for (Sample sample : samples) {
            ObjectNode one = all.addObject();
            one.put("at", sample.atMillis);
            ObjectNode byId = one.putObject("figures");
            sample.figures.forEach((id, figures) -> byId.putArray(id).add(figures.nanoCores).add(figures.memoryBytes)
                    .add(figures.receivedBytes).add(figures.sentBytes).add(figures.processes));
        }
        return message;
    }
}
