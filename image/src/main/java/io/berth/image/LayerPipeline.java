package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * Fetches the layers of one image, several at a time, and unpacks each as soon as it and the one below are there.
 * The first failure cancels the rest. Used once, by one thread; {@link #close()} waits for what is running.
 */
final class LayerPipeline implements AutoCloseable {

    /** A blob of the store did not have its bytes any more; it has been removed. */
    static final class DamagedBlob extends RuntimeFault {
        DamagedBlob(RuntimeFault cause) {
            super(Kind.DATA_LOSS, cause.getMessage(), cause);
        }
    }

    private final Timeline.Operation steps = Timeline.unrecorded("PullImage");
    private final FetchBlob blobs;
    private final ContentStore content;
    private final Unpacker unpacker;
    private final PullListener listener;
    private final Semaphore connections;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    LayerPipeline(FetchBlob blobs, ContentStore content, Unpacker unpacker, PullOptions options, PullListener listener) {
        this.blobs = blobs;
        this.content = content;
        this.unpacker = unpacker;
        this.listener = listener;
        this.connections = new Semaphore(options.concurrentLayers(), true);
    }

    void run(List<Descriptor> layers, List<Digest> diffIds, Images.Lease lease) {
        List<CompletableFuture<Void>> fetches = new ArrayList<>();
        CompletableFuture<Void> failed = new CompletableFuture<>();
        for (Descriptor layer : layers) {
            lease.blob(layer.digest());
            CompletableFuture<Void> fetch = CompletableFuture.runAsync(() -> fetch(layer), threads);
            fetch.whenComplete((done, failure) -> {
                if (failure != null) {
                    failed.completeExceptionally(failure);
                }
            });
            fetches.add(fetch);
        }
        List<Digest> chains = Image.chainIds(diffIds);
        for (int i = 0; i < layers.size(); i++) {
            await(fetches.get(i), failed);
            Optional<Digest> parent = i == 0 ? Optional.empty() : Optional.of(chains.get(i - 1));
            unpack(layers.get(i), parent, chains.get(i), diffIds.get(i));
        }
    }

    private void fetch(Descriptor layer) {
        try {
            connections.acquire();
            try {
                steps.run("fetch", () -> blobs.fetch(layer));
            } finally {
                connections.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "fetch layer " + layer.digest() + ": cancelled", e);
        }
    }

    // The failure of a later layer must not wait for the download of an earlier one.
    private static void await(CompletableFuture<Void> fetch, CompletableFuture<Void> failed) {
        try {
            CompletableFuture.anyOf(fetch, failed).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "pull image: cancelled", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() instanceof CompletionException wrapped ? wrapped.getCause() : e.getCause();
            throw cause instanceof RuntimeException fault ? fault
                    : RuntimeFault.internal("pull image: " + RuntimeFault.reason(cause), cause);
        }
    }

    private void unpack(Descriptor layer, Optional<Digest> parent, Digest chain, Digest diffId) {
        if (unpacker.has(chain)) {
            return;
        }
        long from = System.nanoTime();
        try (InputStream in = content.open(layer.digest())) {
            steps.run("unpack", () -> unpacker.unpack(parent, chain, diffId, layer.mediaType(), in));
        } catch (IOException e) {
            throw ContentStore.fault("read blob", layer.digest(), e);
        } catch (RuntimeFault fault) {
            if (fault.kind() == RuntimeFault.Kind.DATA_LOSS && !isSound(layer.digest())) {
                content.discard(layer.digest());
                throw new DamagedBlob(fault);
            }
            throw fault;
        }
        listener.unpacked(chain, Duration.ofNanos(System.nanoTime() - from));
    }

    private boolean isSound(Digest blob) {
        var hash = Digest.newHash(blob.algorithm());
        try (InputStream in = content.open(blob)) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
            }
            return Digest.ofHash(blob.algorithm(), hash.digest()).equals(blob);
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
