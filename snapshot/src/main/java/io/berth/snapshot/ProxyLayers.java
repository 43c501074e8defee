package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.base.ThreadEnd;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The layers that another program keeps: those that it brings itself, and those that Berth unpacks into snapshots that it
 * gives. A layer is committed when it is whole. Thread-safe.
 */
final class ProxyLayers {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyLayers.class);
    /** A snapshotter may say "already there" of a layer that it has not quite committed. */
    private static final int ATTEMPTS = 3;

    private final String name;
    private final SnapshotCalls calls;
    private final SnapshotNames names;
    private final Path scratch;
    private final UnpackLimits limits;
    private final KeyedLocks<Digest> chains = new KeyedLocks<>();
    private final Set<Digest> known = ConcurrentHashMap.newKeySet();
    private final Set<String> working = ConcurrentHashMap.newKeySet();

    /** @param scratch a directory of its own, for mount points; emptied, because a crash may have left some */
    ProxyLayers(String name, SnapshotCalls calls, SnapshotNames names, Path scratch, UnpackLimits limits) throws IOException {
        this.name = name;
        this.calls = calls;
        this.names = names;
        this.scratch = scratch;
        this.limits = limits;
        Mounts.at(scratch).forEach(Mounts::unmount);
        RemoveTree.at(scratch);
        Files.createDirectories(scratch);
    }

    boolean has(Digest chain) {
        if (known.contains(chain)) {
            return true;
        }
        boolean there = calls.isCommitted(names.of(chain));
        if (there) {
            known.add(chain);
        }
        return there;
    }

    /** Does not believe any more that these are there: the program is asked again. */
    void doubt(List<Digest> doubted) {
        doubted.forEach(known::remove);
    }

    /**
     * All layers that the program tells of; none while it does not answer. Removes what a crash has left with it, too.
     *
     * @param isRoot whether a key is that of a root filesystem
     */
    List<Digest> chains(Predicate<String> isRoot) {
        List<SnapshotCalls.Known> all;
        try {
            all = calls.list();
        } catch (RuntimeFault silent) {
            LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("reason", silent.getMessage()).log("list layers");
            return List.of();
        }
        all.stream().filter(each -> !each.committed()).flatMap(each -> names.key(each.name()).stream())
                .filter(key -> !working.contains(key) && !isRoot.test(key)).forEach(this::takeBack);
        return all.stream().filter(SnapshotCalls.Known::committed).flatMap(each -> names.chain(each.name()).stream()).toList();
    }

    /** As {@link Snapshotter#bring} says. */
    boolean bring(Snapshotter.LayerSource layer) {
        Layers.check(layer.parentChain(), layer.chainId(), layer.diffId(), "");
        try (var _ = chains.lock(layer.chainId())) {
            for (int attempt = 0; attempt < ATTEMPTS && !has(layer.chainId()); attempt++) {
                if (!isOffered(layer)) {
                    return false;
                }
            }
            return has(layer.chainId());
        }
    }

    private boolean isOffered(Snapshotter.LayerSource layer) {
        String key = "bring-" + RandomId.hex(8);
        working.add(key);
        try {
            calls.prepare(names.of(key), parent(layer.parentChain()), LayerLabels.of(layer, names.of(layer.chainId())));
            // It has begun an empty one, for Berth to fill. That is done with a key of its own.
            takeBack(key);
            return false;
        } catch (RuntimeFault fault) {
            // Some keep what they have begun, also when they say that the layer is there, or that they cannot do it now.
            takeBack(key);
            if (fault.kind() != Kind.ALREADY_EXISTS) {
                throw RuntimeFault.during("bring layer " + layer.blob(), fault);
            }
            return true;
        } finally {
            working.remove(key);
        }
    }

    /** As {@link Snapshotter#unpack} says. */
    void unpack(Optional<Digest> parentChain, Digest chain, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent) {
        Layers.check(parentChain, chain, diffId, mediaType);
        try (var _ = chains.lock(chain)) {
            if (has(chain)) {
                return;
            }
            String key = "unpack-" + RandomId.hex(8);
            working.add(key);
            boolean committed = false;
            try {
                List<SnapshotMount> mounts = calls.prepare(names.of(key), parent(parentChain), Map.of());
                toItsEnd(new FutureTask<>(() -> {
                    new UnpackToSnapshot(mounts, scratch, limits).unpack(compressed, diffId);
                    return key;
                }));
                awaitParent.run();
                committed = commit(chain, key);
            } finally {
                if (!committed) {
                    takeBack(key);
                }
                working.remove(key);
            }
        }
    }

    // On a thread that is waited for in any case: a snapshot that is still being written cannot be taken back.
    private static void toItsEnd(FutureTask<String> task) {
        if (ThreadEnd.await(Thread.ofPlatform().name("unpack-layer").start(task))) {
            throw new RuntimeFault(Kind.CANCELLED, "unpack layer: cancelled");
        }
        try {
            task.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException fault ? fault
                    : RuntimeFault.internal("unpack layer: " + RuntimeFault.reason(e.getCause()), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "unpack layer: cancelled", e);
        }
    }

    private boolean commit(Digest chain, String key) {
        try {
            calls.commit(names.of(chain), names.of(key));
            known.add(chain);
            return true;
        } catch (RuntimeFault fault) {
            if (fault.kind() == Kind.ALREADY_EXISTS) {
                return false;
            }
            throw fault;
        }
    }

    // Also when the caller has gone: an interrupted thread makes no calls.
    private void takeBack(String key) {
        boolean interrupted = Thread.interrupted();
        try {
            calls.remove(names.of(key));
        } catch (RuntimeFault e) {
            if (e.kind() != Kind.NOT_FOUND) {
                LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("key", key).setCause(e)
                        .log("a snapshot stays for now: it goes when the layers are looked through again");
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private String parent(Optional<Digest> chain) {
        return chain.map(names::of).orElse("");
    }

    /** Removes a layer; false when another snapshot stands on it. */
    boolean remove(Digest chain) {
        try (var _ = chains.lock(chain)) {
            known.remove(chain);
            calls.remove(names.of(chain));
        } catch (RuntimeFault fault) {
            if (fault.kind() == Kind.NOT_FOUND) {
                return true;
            }
            if (fault.kind() == Kind.FAILED_PRECONDITION) {
                return false;
            }
            throw fault;
        }
        cleanUp();
        return true;
    }

    /** Lets the program free what removals have left; some keep the files of what is removed until they are told so. */
    void cleanUp() {
        try {
            calls.cleanUp();
        } catch (RuntimeFault later) {
            LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("reason", later.getMessage()).log("free what removals left");
        }
    }

    Optional<String> damage(Digest chain) {
        known.remove(chain);
        return has(chain) ? Optional.empty() : Optional.of("snapshotter " + name + " does not have it");
    }
}
