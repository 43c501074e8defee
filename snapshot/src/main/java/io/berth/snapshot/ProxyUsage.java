package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the layers and root filesystems of a node take at a snapshotter: of layers asked of it now and then, because each is a
 * call, and the last figures while it does not answer: stats of a node must not fail or wait because a program is away.
 * Thread-safe.
 */
final class ProxyUsage {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyUsage.class);
    private static final Duration FRESH = Duration.ofSeconds(30);

    private record Count(Usage usage, long atNanos) {}

    private final String name;
    private final SnapshotCalls calls;
    private final SnapshotNames names;
    private final ReentrantLock counting = new ReentrantLock();
    private final Map<String, Usage> roots = new ConcurrentHashMap<>();
    private volatile long silentUntilNanos = System.nanoTime();
    private volatile Count last = new Count(Usage.NONE, System.nanoTime() - FRESH.toNanos());

    ProxyUsage(String name, SnapshotCalls calls, SnapshotNames names) {
        this.name = name;
        this.calls = calls;
        this.names = names;
    }

    Usage ofLayers() {
        if (System.nanoTime() - last.atNanos >= FRESH.toNanos() && counting.tryLock()) {
            try {
                last = new Count(count(), System.nanoTime());
            } catch (RuntimeFault silent) {
                last = new Count(last.usage, System.nanoTime());
                LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("reason", silent.getMessage()).log("count layers");
            } finally {
                counting.unlock();
            }
        }
        return last.usage;
    }

    /** What a root filesystem takes: none where the snapshotter has not told yet and does not answer. */
    Usage ofRoot(String key) {
        if (silentUntilNanos - System.nanoTime() <= 0) {
            try {
                Usage told = ofOne(names.of(key));
                roots.put(key, told);
                return told;
            } catch (RuntimeFault silent) {
                silentUntilNanos = System.nanoTime() + FRESH.toNanos();
                LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("reason", silent.getMessage())
                        .log("count what containers have written");
            }
        }
        return roots.getOrDefault(key, Usage.NONE);
    }

    void forget(String key) {
        roots.remove(key);
    }

    private Usage count() {
        Usage sum = Usage.NONE;
        for (SnapshotCalls.Known each : calls.list()) {
            if (each.committed() && names.chain(each.name()).isPresent()) {
                sum = sum.plus(ofOne(each.name()));
            }
        }
        return sum;
    }

    private Usage ofOne(String snapshot) {
        try {
            return calls.usage(snapshot);
        } catch (RuntimeFault fault) {
            if (fault.kind() == RuntimeFault.Kind.NOT_FOUND) {
                return Usage.NONE;
            }
            throw fault;
        }
    }
}
