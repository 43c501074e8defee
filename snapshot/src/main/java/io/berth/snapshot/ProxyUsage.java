package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the layers of a node take at a snapshotter: asked of it now and then, because every layer is a call, and the last
 * figure while it is being asked or does not answer. Thread-safe.
 */
final class ProxyUsage {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyUsage.class);
    private static final Duration FRESH = Duration.ofSeconds(30);

    private record Count(Usage usage, long atNanos) {}

    private final String name;
    private final SnapshotCalls calls;
    private final SnapshotNames names;
    private final ReentrantLock counting = new ReentrantLock();
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

    private Usage count() {
        Usage sum = Usage.NONE;
        for (SnapshotCalls.Known each : calls.list()) {
            if (each.committed() && names.chain(each.name()).isPresent()) {
                sum = sum.plus(ofOne(each.name()));
            }
        }
        return sum;
    }

    private Usage ofOne(String layer) {
        try {
            return calls.usage(layer);
        } catch (RuntimeFault fault) {
            if (fault.kind() == RuntimeFault.Kind.NOT_FOUND) {
                return Usage.NONE;
            }
            throw fault;
        }
    }
}
