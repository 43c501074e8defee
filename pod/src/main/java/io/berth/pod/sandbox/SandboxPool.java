package io.berth.pod.sandbox;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.linux.Namespaces;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few sandboxes that are made before anybody asks for one, so that RunPodSandbox has only to add what the pod asks for. A
 * prepared sandbox has the id that the pod's will have, so nothing of it is ever renamed (ADR 9). New ones are made in the
 * background while no pod's sandbox is in the making. Thread-safe; {@link #close} removes those that nobody took.
 */
public final class SandboxPool implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SandboxPool.class);
    /** A pod's containers come right after its sandbox, and pods come together: the processors are theirs first. */
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Duration AFTER_FAILURE = Duration.ofMinutes(1);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);

    private final Node node;
    private final int size;
    private final PrepareSandbox prepare;
    private final DiscardSandbox discard;
    private final Queue<String> ready = new ConcurrentLinkedQueue<>();
    /** All that are the pool's: in the making, ready, and those taken until they are on record as a pod's. */
    private final Set<String> held = ConcurrentHashMap.newKeySet();
    private final AtomicInteger turns = new AtomicInteger();
    private final Semaphore wish = new Semaphore(0);
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile Optional<Thread> refill = Optional.empty();

    /** @param size how many are kept ready, 0 for none */
    public SandboxPool(Node node, int size) {
        this.node = node;
        this.size = size;
        this.discard = new DiscardSandbox(node);
        this.prepare = new PrepareSandbox(node, discard);
    }

    /** A pod's sandbox in the making, perhaps out of a prepared one. While it is open no further ones are prepared. */
    public final class Turn implements AutoCloseable {

        private final Optional<Sandbox> prepared;

        private Turn(Optional<Sandbox> prepared) {
            this.prepared = prepared;
        }

        /** The one that the pod gets; its caller makes the record the pod's, or takes it apart. */
        public Optional<Sandbox> prepared() {
            return prepared;
        }

        @Override
        public void close() {
            turns.decrementAndGet();
            prepared.ifPresent(sandbox -> {
                held.remove(sandbox.id());
                wish.release();
            });
        }
    }

    /** Begins a pod's turn. */
    Turn turn(PodSandboxConfig config) {
        turns.incrementAndGet();
        return new Turn(fits(config) ? take() : Optional.empty());
    }

    // A pod with a user namespace owns its other namespaces by it, and one that shares the node's has none of its own.
    private static boolean fits(PodSandboxConfig config) {
        NamespaceOption modes = config.getLinux().getSecurityContext().getNamespaceOptions();
        return modes.getNetwork() == NamespaceMode.POD && modes.getIpc() == NamespaceMode.POD && !UserNamespaces.isOwn(modes);
    }

    private Optional<Sandbox> take() {
        for (String id = ready.poll(); id != null; id = ready.poll()) {
            Optional<Sandbox> found = node.inventory().findSandbox(id);
            if (found.isPresent() && isWhole(found.get())) {
                return found;
            }
            // Somebody has unmounted it: reconciliation removes what is left.
            held.remove(id);
            wish.release();
        }
        return Optional.empty();
    }

    private boolean isWhole(Sandbox sandbox) {
        return new SandboxNamespaces(node).pins(sandbox).values().stream().allMatch(Namespaces::isPinned);
    }

    /** Whether it is the pool's, ready or in the making. */
    public boolean holds(String id) {
        return held.contains(id);
    }

    /** Removes one that is not held: of a daemon that ended, or broken. Idempotent. */
    public void discard(String id) {
        discard.discard(id);
    }

    /** Removes all but the record of one that was taken. */
    void takeApart(String id) {
        discard.takeApart(id);
    }

    /** Begins to keep the pool full, in the background. */
    public void start() {
        if (size > 0) {
            wish.release();
            refill = Optional.of(Thread.ofVirtual().name("sandbox-pool").start(this::keepFull));
        }
    }

    // Ended by a sign and not by interruption: a step that is cut would leave its work to nobody.
    private void keepFull() {
        try {
            while (true) {
                wish.acquire();
                wish.drainPermits();
                Duration pause = PAUSE;
                while (!pause.isZero()) {
                    if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                        return;
                    }
                    pause = fill();
                }
            }
        } catch (InterruptedException ended) {
            LOG.atDebug().log("no more sandboxes are prepared");
        }
    }

    /** Prepares what is missing; how long to wait before what is still missing is tried. */
    private Duration fill() {
        while (held.size() < size && closing.getCount() > 0) {
            if (turns.get() > 0) {
                return PAUSE;
            }
            if (!add()) {
                return AFTER_FAILURE;
            }
        }
        return Duration.ZERO;
    }

    private boolean add() {
        String id = node.selinux().newSandboxId(node.inventory().sandboxes());
        held.add(id);
        try {
            prepare.prepare(id);
            ready.add(id);
            return true;
        } catch (RuntimeException failure) {
            held.remove(id);
            LOG.atWarn().addKeyValue("reason", RuntimeFault.reason(failure)).addKeyValue("again", AFTER_FAILURE)
                    .log("no sandbox prepared, pods get theirs made when they come");
            return false;
        }
    }

    /** Ends it, and removes the prepared sandboxes; what cannot be removed is on record for the next start. */
    @Override
    public void close() {
        closing.countDown();
        wish.release();
        refill.ifPresent(thread -> {
            try {
                thread.join(CLOSE_LIMIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        for (String id = ready.poll(); id != null; id = ready.poll()) {
            held.remove(id);
        }
        // Also those that an earlier discard could not remove, on a full disk for instance.
        node.inventory().sandboxes().stream()
                .filter(sandbox -> sandbox.phase() == Sandbox.Phase.PREPARED && !held.contains(sandbox.id())).forEach(sandbox -> {
                    try {
                        discard.discard(sandbox.id());
                    } catch (RuntimeFault failure) {
                        LOG.atWarn().addKeyValue("pod", sandbox.id()).setCause(failure).log("prepared sandbox not removed");
                    }
                });
    }
}
