package io.berth.image;

import io.berth.base.CallScope;
import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.base.ThreadEnd;
import io.berth.base.Timeline;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Brings one layer: unpacks it while its blob is downloaded, or from the store where the blob is there. The layer becomes
 * visible only when the blob has turned out to have its digest. A blob of the store that has rotted is fetched again.
 * Thread-safe; interrupting the thread cancels.
 */
final class FetchLayer {

    private static final int REPAIRS = 2;

    private final Timeline.Operation steps = Timeline.unrecorded("PullImage");
    private final FetchBlob blobs;
    private final ContentStore content;
    private final Unpacker unpacker;
    private final PullListener listener;

    FetchLayer(FetchBlob blobs, ContentStore content, Unpacker unpacker, PullListener listener) {
        this.blobs = blobs;
        this.content = content;
        this.unpacker = unpacker;
        this.listener = listener;
    }

    void run(Descriptor layer, Optional<Digest> parent, Digest chain, Digest diffId, Runnable awaitParent) {
        for (int attempt = 0;; attempt++) {
            long from = System.nanoTime();
            CompletableFuture<Optional<BlobGrowth>> begun = new CompletableFuture<>();
            CompletableFuture<Void> fetched = new CompletableFuture<>();
            Thread fetching = Thread.ofVirtual().name("fetch-layer")
                    .start(CallScope.carried(() -> fetch(layer, begun, fetched)));
            boolean complete = false;
            try {
                complete = steps.step("unpack",
                        () -> unpack(layer, parent, chain, diffId, begun, fetched, awaitParent));
            } catch (RuntimeFault fault) {
                if (fault.kind() != Kind.DATA_LOSS || !content.has(layer.digest()) || content.isSound(layer.digest())
                        || attempt >= REPAIRS) {
                    throw fault;
                }
                // The store's own copy had rotted: without it, the next round fetches it again.
                content.discard(layer.digest());
            } finally {
                if (!complete) {
                    fetching.interrupt();
                }
                ThreadEnd.await(fetching);
            }
            if (complete) {
                listener.unpacked(layer.digest(), Duration.ofNanos(System.nanoTime() - from));
                return;
            }
        }
    }

    private void fetch(Descriptor layer, CompletableFuture<Optional<BlobGrowth>> begun, CompletableFuture<Void> fetched) {
        try {
            steps.run("fetch", () -> blobs.fetch(layer, growth -> begun.complete(Optional.of(growth))));
            begun.complete(Optional.empty());
            fetched.complete(null);
        } catch (RuntimeException | Error failure) {
            begun.completeExceptionally(failure);
            fetched.completeExceptionally(failure);
        }
    }

    private boolean unpack(Descriptor layer, Optional<Digest> parent, Digest chain, Digest diffId,
            CompletableFuture<Optional<BlobGrowth>> begun, CompletableFuture<Void> fetched, Runnable awaitParent) {
        Optional<BlobGrowth> growth = await(begun, layer);
        if (growth.isPresent()) {
            try (InputStream in = watched(layer, growth.get().open())) {
                unpacker.unpack(parent, chain, diffId, layer.mediaType(), in, () -> {
                    await(fetched, layer);
                    awaitParent.run();
                });
                // Also when the layer was there already, unpacked by another pull.
                await(fetched, layer);
                return true;
            } catch (IOException e) {
                await(fetched, layer);
            } catch (RuntimeFault fault) {
                afterFailure(fault, fetched, layer);
            }
        }
        try (InputStream in = watched(layer, content.open(layer.digest()))) {
            unpacker.unpack(parent, chain, diffId, layer.mediaType(), in, awaitParent);
            return true;
        } catch (IOException e) {
            throw ContentStore.fault("read blob", layer.digest(), e);
        }
    }

    // Bad bytes are the download's to report: it knows the digest, and another mirror may have served good ones since.
    private void afterFailure(RuntimeFault fault, CompletableFuture<Void> fetched, Descriptor layer) {
        boolean bytes = fault.kind() == Kind.DATA_LOSS || fault.kind() == Kind.INTERNAL;
        if (!bytes || fetched.isDone() && !fetched.isCompletedExceptionally() && fault.kind() == Kind.DATA_LOSS) {
            throw fault;
        }
        await(fetched, layer);
    }

    private InputStream watched(Descriptor layer, InputStream in) {
        return new FilterInputStream(in) {
            private long done;

            @Override
            public int read(byte[] buffer, int from, int count) throws IOException {
                int got = super.read(buffer, from, count);
                done += Math.max(0, got);
                listener.unpacking(layer.digest(), done);
                return got;
            }
        };
    }

    private static <T> T await(CompletableFuture<T> awaited, Descriptor layer) {
        try {
            return awaited.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "fetch layer " + layer.digest() + ": cancelled", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException fault ? fault
                    : RuntimeFault.internal("fetch layer: " + RuntimeFault.reason(e.getCause()), e.getCause());
        }
    }
}
