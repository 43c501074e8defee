package io.berth.image;

import io.berth.base.CallScope;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.time.Duration;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The pulls of a node: those who ask for the same image with the same credentials share one pull. A pull that all have
 * given up waiting for goes on for a while, so that the next who asks joins it; the kubelet asks again. A pull to which
 * nothing comes for the stall limit is given up. Thread-safe.
 */
public final class SharedPulls {

    private static final Duration REMEMBERED = Duration.ofSeconds(10);
    private static final int REMEMBERED_COUNT = 64;

    private record Key(String reference, Optional<RegistryCredentials> credentials, String snapshotter) {}

    /** A pull that is over since {@code atNanos} of {@link System#nanoTime}. */
    private record Ended(PullProgress.Snapshot snapshot, long atNanos) {}

    private final class Running {
        final Key key;
        final PullProgress progress;
        final CompletableFuture<Image> result = new CompletableFuture<>();
        Thread worker;
        int waiting;
        volatile boolean stalled;

        Running(Key key, ImageReference reference) {
            this.key = key;
            this.progress = new PullProgress(reference, totals);
        }
    }

    private final PullImage pull;
    private final PullOptions options;
    private final ConcurrentHashMap<Key, Running> running = new ConcurrentHashMap<>();
    private final Deque<Ended> ended = new ConcurrentLinkedDeque<>();
    private final PullTotals totals = new PullTotals();
    private volatile PullTotals.Watch watch = (took, failure) -> { };

    public SharedPulls(PullImage pull) {
        this.pull = pull;
        this.options = pull.options();
    }

    /** As below, with the usual snapshotter. */
    public Image pull(ImageReference reference, Optional<RegistryCredentials> credentials) {
        return pull(reference, credentials, "");
    }

    /**
     * Pulls, or joins the pull under way. Interrupting the thread leaves it; see {@link PullImage} for failures.
     *
     * @param snapshotter where the layers go; empty for the usual one
     */
    public Image pull(ImageReference reference, Optional<RegistryCredentials> credentials, String snapshotter) {
        Running joined = running.compute(new Key(reference.toString(), credentials, snapshotter), (key, present) -> {
            Running found = present == null ? begin(key, reference) : present;
            found.waiting++;
            return found;
        });
        try {
            return joined.result.get();
        } catch (InterruptedException e) {
            leave(joined);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "pull image " + reference
                    + ": the caller has gone; the pull goes on and can be joined", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeFault fault ? fault
                    : RuntimeFault.internal("pull image " + reference + ": " + RuntimeFault.reason(e.getCause()), e.getCause());
        }
    }

    /** What all pulls have come to. */
    public PullTotals totals() {
        return totals;
    }

    /** Tells {@code watch} of each pull that ends from now on. */
    public void watch(PullTotals.Watch watch) {
        this.watch = watch;
    }

    /** Pulls under way and those that ended a moment ago, the oldest first. */
    public List<PullProgress.Snapshot> progress() {
        long now = System.nanoTime();
        ended.removeIf(each -> now - each.atNanos > REMEMBERED.toNanos());
        return Stream.concat(ended.stream().map(Ended::snapshot), running.values().stream().map(r -> r.progress.snapshot()))
                .sorted(Comparator.comparing(PullProgress.Snapshot::startedAt)).toList();
    }

    private Running begin(Key key, ImageReference reference) {
        Running fresh = new Running(key, reference);
        fresh.worker = Thread.ofVirtual().name("pull").start(CallScope.carried(() -> run(fresh, reference)));
        return fresh;
    }

    private void run(Running pulling, ImageReference reference) {
        Thread stalls = Thread.ofVirtual().name("pull-watch").start(() -> watch(pulling));
        long from = System.nanoTime();
        try {
            Image image = pull.pull(reference, pulling.key.credentials, pulling.key.snapshotter, pulling.progress);
            end(pulling, Optional.empty());
            watch.ended(Duration.ofNanos(System.nanoTime() - from), Optional.empty());
            pulling.result.complete(image);
        } catch (RuntimeException | Error e) {
            Throwable told = pulling.stalled ? new RuntimeFault(Kind.UNAVAILABLE, "pull image " + reference
                    + ": nothing came for " + options.stallLimit().toSeconds()
                    + " s: check the network, or set image_pull_progress_timeout higher", e) : e;
            end(pulling, Optional.of(RuntimeFault.reason(told)));
            watch.ended(Duration.ofNanos(System.nanoTime() - from),
                    Optional.of(told instanceof RuntimeFault fault ? fault.kind() : Kind.INTERNAL));
            pulling.result.completeExceptionally(told);
        } finally {
            stalls.interrupt();
        }
    }

    private void end(Running pulling, Optional<String> failure) {
        pulling.progress.ended(failure);
        ended.addLast(new Ended(pulling.progress.snapshot(), System.nanoTime()));
        while (ended.size() > REMEMBERED_COUNT) {
            ended.pollFirst();
        }
        running.remove(pulling.key, pulling);
    }

    private void watch(Running pulling) {
        try {
            Duration idle = pulling.progress.idle();
            while (idle.compareTo(options.stallLimit()) < 0) {
                Thread.sleep(options.stallLimit().minus(idle).plusMillis(1));
                idle = pulling.progress.idle();
            }
            pulling.stalled = true;
            pulling.worker.interrupt();
        } catch (InterruptedException e) {
            // The pull has ended.
            return;
        }
    }

    private void leave(Running left) {
        boolean[] last = new boolean[1];
        running.computeIfPresent(left.key, (key, present) -> {
            if (present == left) {
                last[0] = --left.waiting == 0;
            }
            return present;
        });
        if (last[0]) {
            Thread.ofVirtual().name("pull-abandoned").start(() -> giveUpLater(left));
        }
    }

    private void giveUpLater(Running left) {
        try {
            left.result.get(options.abandonedLimit().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            running.computeIfPresent(left.key, (key, present) -> {
                if (present == left && left.waiting == 0) {
                    left.worker.interrupt();
                }
                return present;
            });
        } catch (InterruptedException | ExecutionException e) {
            // It has ended by itself.
            return;
        }
    }
}
