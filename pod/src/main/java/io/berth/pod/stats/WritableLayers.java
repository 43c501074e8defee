package io.berth.pod.stats;

import io.berth.base.RuntimeFault;
import io.berth.linux.PlatformThreads;
import io.berth.snapshot.Usage;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What containers have written, counted at most every {@link #FRESH}: counting walks their trees. A tree that took long is
 * counted in the background and less often, so that a container with a million files neither delays an answer nor keeps the
 * disk busy. Thread-safe.
 */
final class WritableLayers {

    private static final Logger LOG = LoggerFactory.getLogger(WritableLayers.class);
    /** How old a count may be. */
    static final Duration FRESH = Duration.ofSeconds(10);
    /** A walk that took longer than this is not waited for again. */
    private static final long PATIENCE_NANOS = 20_000_000;
    /** At most a twentieth of the time goes into walking a tree. */
    private static final int REST = 20;

    private record Count(Usage usage, long atNanos, long tookNanos) {

        boolean isFresh() {
            return System.nanoTime() - atNanos < Math.max(FRESH.toNanos(), tookNanos * REST);
        }
    }

    private final ConcurrentHashMap<String, Count> counts = new ConcurrentHashMap<>();
    private final Set<String> underWay = ConcurrentHashMap.newKeySet();
    private final Function<String, Usage> walk;

    /** @param walk counts the layer of a container, NOT_FOUND when it has none */
    WritableLayers(Function<String, Usage> walk) {
        this.walk = walk;
    }

    /** Empty when the container has no root file system (any more). */
    Optional<Usage> of(String id) {
        Count last = counts.get(id);
        if (last != null && last.isFresh()) {
            return Optional.of(last.usage);
        }
        if (last == null || last.tookNanos < PATIENCE_NANOS) {
            return count(id);
        }
        if (underWay.add(id)) {
            PlatformThreads.executor().execute(() -> recount(id));
        }
        return Optional.of(last.usage);
    }

    private Optional<Usage> count(String id) {
        long from = System.nanoTime();
        try {
            Usage usage = walk.apply(id);
            counts.put(id, new Count(usage, System.nanoTime(), System.nanoTime() - from));
            return Optional.of(usage);
        } catch (RuntimeFault fault) {
            if (fault.kind() == RuntimeFault.Kind.NOT_FOUND) {
                counts.remove(id);
                return Optional.empty();
            }
            throw fault;
        }
    }

    private void recount(String id) {
        try {
            count(id);
        } catch (RuntimeException failure) {
            LOG.atWarn().addKeyValue("container", id).setCause(failure).log("writable layer cannot be counted");
        } finally {
            underWay.remove(id);
        }
    }

    /** How many are remembered. */
    int size() {
        return counts.size();
    }

    /** Forgets those that are gone. */
    void forget(Predicate<String> gone) {
        counts.keySet().removeIf(gone);
    }
}
