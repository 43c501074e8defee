package io.berth.image;

import io.berth.base.CallScope;
import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
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
 * Brings the layers of one image, several at a time: each is unpacked while it is downloaded and becomes visible when the
 * one below has. The first failure cancels the rest. Used once, by one thread; {@link #close()} waits for what is running.
 */
final class LayerPipeline implements AutoCloseable {

    private final FetchBlob blobs;
    private final ContentStore content;
    private final Unpacker unpacker;
    private final PullListener listener;
    private final Semaphore permits;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    LayerPipeline(FetchBlob blobs, ContentStore content, Unpacker unpacker, PullOptions options, PullListener listener) {
        this.blobs = blobs;
        this.content = content;
        this.unpacker = unpacker;
        this.listener = listener;
        this.permits = new Semaphore(options.concurrentLayers(), true);
    }

    /**
     * The layers to bring, the lowest first.
     *
     * @param image the name that the image is pulled by
     */
    record Stack(String image, Digest manifest, List<Descriptor> layers, List<Digest> diffIds) {

        RemoteLayer layer(int index, List<Digest> chains) {
            return new RemoteLayer(image, manifest, layers.get(index).digest(), layers.get(index).annotations(),
                    layers.subList(index, layers.size()).stream().map(Descriptor::digest).toList(),
                    index == 0 ? Optional.empty() : Optional.of(chains.get(index - 1)), chains.get(index), diffIds.get(index));
        }
    }

    void run(Stack stack, Images.Lease lease) {
        stack.layers.forEach(layer -> lease.blob(layer.digest()));
        if (unpacker.goesInTurns()) {
            oneByOne(stack);
        } else {
            together(stack.layers, stack.diffIds);
        }
    }

    // The snapshotter may bring a layer itself, which it can tell only when it has the one below.
    private void oneByOne(Stack stack) {
        List<Digest> chains = Image.chainIds(stack.diffIds);
        for (int i = 0; i < chains.size(); i++) {
            Descriptor blob = stack.layers.get(i);
            RemoteLayer layer = stack.layer(i, chains);
            if (unpacker.has(layer.chainId()) || listener.local(() -> unpacker.bring(layer))) {
                listener.present(blob.digest(), blob.sizeBytes());
            } else {
                new FetchLayer(blobs, content, unpacker, listener).run(blob, layer.parentChain(), layer.chainId(),
                        layer.diffId(), () -> { });
            }
        }
    }

    private void together(List<Descriptor> layers, List<Digest> diffIds) {
        List<Digest> chains = Image.chainIds(diffIds);
        List<CompletableFuture<Void>> done = new ArrayList<>();
        CompletableFuture<Void> failed = new CompletableFuture<>();
        for (int i = 0; i < layers.size(); i++) {
            Optional<Digest> parent = i == 0 ? Optional.empty() : Optional.of(chains.get(i - 1));
            CompletableFuture<Void> below = i == 0 ? CompletableFuture.completedFuture(null) : done.get(i - 1);
            LayerTask task = new LayerTask(layers.get(i), parent, chains.get(i), diffIds.get(i), below);
            // Permits are given in order: a lower layer is never behind a higher one that waits for it.
            done.add(CompletableFuture.runAsync(CallScope.carried(() -> task(task)), threads));
            done.getLast().whenComplete((nothing, failure) -> {
                if (failure != null) {
                    failed.completeExceptionally(failure);
                }
            });
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(done.toArray(CompletableFuture[]::new));
        await(CompletableFuture.anyOf(all, failed));
    }

    private record LayerTask(Descriptor layer, Optional<Digest> parent, Digest chain, Digest diffId,
            CompletableFuture<Void> below) {}

    private void task(LayerTask task) {
        if (unpacker.has(task.chain)) {
            listener.present(task.layer.digest(), task.layer.sizeBytes());
            return;
        }
        try {
            permits.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "fetch layer " + task.layer.digest() + ": cancelled", e);
        }
        boolean[] held = {true};
        Runnable awaitParent = () -> {
            // What waits for the layer below neither loads nor unpacks: another layer may.
            held[0] = false;
            permits.release();
            listener.local(() -> await(task.below));
        };
        try {
            new FetchLayer(blobs, content, unpacker, listener).run(task.layer, task.parent, task.chain, task.diffId,
                    awaitParent);
        } finally {
            if (held[0]) {
                permits.release();
            }
        }
    }

    private static Object await(CompletableFuture<?> awaited) {
        try {
            return awaited.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "pull image: cancelled", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() instanceof CompletionException wrapped ? wrapped.getCause() : e.getCause();
            throw cause instanceof RuntimeException fault ? fault
                    : RuntimeFault.internal("pull image: " + RuntimeFault.reason(cause), cause);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
