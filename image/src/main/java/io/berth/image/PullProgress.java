package io.berth.image;

import io.berth.base.Digest;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** How far one pull has come, kept for those who ask. Thread-safe; answers at once. */
public final class PullProgress implements PullListener {

    /** Where a pull or a layer is. */
    public enum Phase { WAITING, RESOLVING, DOWNLOADING, UNPACKING, DONE, FAILED }

    /**
     * One layer.
     *
     * @param doneBytes of the blob that were downloaded, or were there already
     * @param unpackedBytes of the blob that were unpacked
     */
    public record Layer(Digest blob, Phase phase, long doneBytes, long totalBytes, long unpackedBytes) {}

    /**
     * The pull at one moment.
     *
     * @param retries requests that were made again
     * @param error why it failed; empty if it did not
     */
    public record Snapshot(String reference, Instant startedAt, Phase phase, List<Layer> layers, int retries,
            Optional<String> error, Optional<Instant> endedAt) {
        public long doneBytes() {
            return layers.stream().mapToLong(Layer::doneBytes).sum();
        }

        public long totalBytes() {
            return layers.stream().mapToLong(Layer::totalBytes).sum();
        }
    }

    private final String reference;
    private final PullTotals totals;
    private final Instant startedAt = Instant.now();
    private final Map<Digest, Layer> layers = new LinkedHashMap<>();
    private final AtomicInteger local = new AtomicInteger();
    private volatile long movedNanos = System.nanoTime();
    private Phase phase = Phase.RESOLVING;
    private Optional<String> error = Optional.empty();
    private Optional<Instant> endedAt = Optional.empty();
    private int retries;

    /** @param totals what this pull adds to */
    PullProgress(ImageReference reference, PullTotals totals) {
        this.reference = reference.toString();
        this.totals = totals;
    }

    public synchronized Snapshot snapshot() {
        return new Snapshot(reference, startedAt, phase, List.copyOf(layers.values()), retries, error, endedAt);
    }

    /** How long nothing has come; zero while this machine has work of its own to do. */
    Duration idle() {
        return local.get() > 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - movedNanos);
    }

    synchronized void ended(Optional<String> failure) {
        phase = failure.isPresent() ? Phase.FAILED : Phase.DONE;
        error = failure;
        endedAt = Optional.of(Instant.now());
    }

    @Override
    public synchronized void resolved(List<Blob> blobs) {
        movedNanos = System.nanoTime();
        phase = Phase.DOWNLOADING;
        blobs.forEach(blob -> layers.put(blob.digest(), new Layer(blob.digest(), Phase.WAITING, 0, blob.sizeBytes(), 0)));
    }

    @Override
    public void present(Digest blob, long bytes) {
        change(blob, layer -> {
            if (layer.phase != Phase.WAITING) {
                return layer;
            }
            totals.presentLayer();
            return new Layer(blob, Phase.DONE, layer.totalBytes, layer.totalBytes, layer.totalBytes);
        });
    }

    @Override
    public void received(int count) {
        totals.received(count);
    }

    @Override
    public void progress(Digest blob, long done, long total) {
        change(blob, layer -> new Layer(blob, done < total ? Phase.DOWNLOADING : Phase.UNPACKING, done, layer.totalBytes,
                layer.unpackedBytes));
    }

    @Override
    public void unpacking(Digest blob, long done) {
        change(blob, layer -> new Layer(blob, layer.phase == Phase.DOWNLOADING ? layer.phase : Phase.UNPACKING,
                Math.max(done, layer.doneBytes), layer.totalBytes, done));
    }

    @Override
    public void unpacked(Digest blob, Duration took) {
        totals.fetchedLayer();
        change(blob, layer -> new Layer(blob, Phase.DONE, layer.totalBytes, layer.totalBytes, layer.totalBytes));
    }

    @Override
    public synchronized void retry(String what, String reason) {
        retries++;
        totals.retried();
    }

    @Override
    public <T> T local(Supplier<T> work) {
        local.incrementAndGet();
        try {
            return work.get();
        } finally {
            movedNanos = System.nanoTime();
            local.decrementAndGet();
        }
    }

    private synchronized void change(Digest blob, java.util.function.UnaryOperator<Layer> next) {
        movedNanos = System.nanoTime();
        layers.computeIfPresent(blob, (digest, layer) -> next.apply(layer));
    }
}
