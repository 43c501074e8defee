package io.berth.image;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** What the pulls of a node have come to since it started. It grows while they run. Thread-safe. */
public final class PullTotals {

    /** Told of each pull that ends; must return at once. */
    @FunctionalInterface
    public interface Watch {
        /** @param failure of which kind; empty for a pull that succeeded */
        void ended(Duration took, Optional<RuntimeFault.Kind> failure);
    }

    private final LongAdder bytes = new LongAdder();
    private final LongAdder retries = new LongAdder();
    private final LongAdder fetchedLayers = new LongAdder();
    private final LongAdder presentLayers = new LongAdder();

    void received(int count) {
        bytes.add(count);
    }

    void retried() {
        retries.increment();
    }

    void fetchedLayer() {
        fetchedLayers.increment();
    }

    void presentLayer() {
        presentLayers.increment();
    }

    /** Bytes of blobs that came over the network; what was there already or was resumed is not among them. */
    public long bytes() {
        return bytes.sum();
    }

    /** Requests that failed and were made again. */
    public long retries() {
        return retries.sum();
    }

    /** Layers that were brought and unpacked. */
    public long fetchedLayers() {
        return fetchedLayers.sum();
    }

    /** Layers that pulls found on the node. */
    public long presentLayers() {
        return presentLayers.sum();
    }
}
