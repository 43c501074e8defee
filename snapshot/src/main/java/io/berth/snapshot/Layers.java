package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The unpacked layers, {@code layers/<chain id>/fs} each with a record beside it. A layer is unpacked into a temporary
 * directory and renamed when it is whole. It reaches the disk in the background: until then its record carries the
 * kernel's boot id, and after a power loss (another boot id) the layer is not believed but unpacked again. Thread-safe.
 */
final class Layers {

    private static final Logger LOG = LoggerFactory.getLogger(Layers.class);

    private record Layer(Optional<Digest> parent, Usage usage, boolean synced) {}

    /** A layer that is unpacked and waits for the one below. */
    private record Staged(Path directory, Usage usage, SpilledRecords implied, boolean rootIsExplicit) {}

    private final Path directory;
    private final Path scratch;
    private final UnpackLimits limits;
    private final String bootId;
    private final KeyedLocks<Digest> unpacking = new KeyedLocks<>();
    private final ReentrantLock structure = new ReentrantLock();
    private final Map<Digest, Layer> known = new ConcurrentHashMap<>();
    private final LayerSync sync;

    Layers(Path root, Path scratch, UnpackLimits limits, String bootId) throws IOException {
        this.directory = root.resolve("layers");
        this.scratch = scratch;
        this.limits = limits;
        this.bootId = bootId;
        Files.createDirectories(directory);
        this.sync = new LayerSync(directory, this::synced, () -> unpacking.size() > 0);
        load();
    }

    private void load() throws IOException {
        List<Digest> unsynced = new ArrayList<>();
        try (DirectoryStream<Path> layers = Files.newDirectoryStream(directory)) {
            for (Path layer : layers) {
                String hex = layer.getFileName().toString();
                try {
                    SnapshotRecord record = SnapshotRecord.read(layer);
                    Digest chain = Digest.parse(record.value("chain").orElseThrow(() -> new IOException("no chain")));
                    Optional<String> boot = record.value("unsynced");
                    if (!chain.hex().equals(hex) || boot.isPresent() && !boot.get().equals(bootId)) {
                        throw new IOException("it was not on the disk when the machine stopped");
                    }
                    boot.ifPresent(b -> unsynced.add(chain));
                    known.put(chain, new Layer(record.value("parent").map(Digest::parse), new Usage(
                            Long.parseLong(record.value("bytes").orElse("0")),
                            Long.parseLong(record.value("inodes").orElse("0"))), boot.isEmpty()));
                } catch (IOException | RuntimeFault | NumberFormatException e) {
                    LOG.atWarn().addKeyValue("layer", hex).addKeyValue("reason", RuntimeFault.reason(e))
                            .log("layer left out: it is unpacked again when it is needed");
                    Files.move(layer, scratch.resolve(RandomId.hex(8)), StandardCopyOption.ATOMIC_MOVE);
                }
            }
        }
        // A layer whose parent is gone is of no use.
        while (known.entrySet().removeIf(e -> e.getValue().parent.filter(p -> !known.containsKey(p)).isPresent()
                && discard(e.getKey()))) {
            continue;
        }
        unsynced.stream().filter(known::containsKey).forEach(sync::add);
    }

    boolean has(Digest chain) {
        return known.containsKey(chain);
    }

    List<Digest> chains() {
        return List.copyOf(known.keySet());
    }

    Optional<Usage> usage(Digest chain) {
        return Optional.ofNullable(known.get(chain)).map(Layer::usage);
    }

    /** What all layers take, their records included, as du(1) says; a fresh layer is estimated until it is synced. */
    Usage usage() {
        try {
            return known.values().stream().map(Layer::usage).reduce(new Usage(Files.size(directory), 1), Usage::plus);
        } catch (IOException e) {
            throw RuntimeFault.internal("count layers: " + RuntimeFault.reason(e), e);
        }
    }

    /** What is wrong with a layer, judged by what it takes on the disk; empty when nothing is known to be wrong. */
    Optional<String> damage(Digest chain) {
        Layer layer = known.get(chain);
        if (layer == null) {
            return Optional.of("it is not unpacked");
        }
        Usage found = TreeUsage.of(directory.resolve(chain.hex()));
        return !layer.synced || found.equals(layer.usage) ? Optional.empty()
                : Optional.of("it has " + found.inodes() + " files in " + found.bytes() + " bytes, when it was unpacked it had "
                        + layer.usage.inodes() + " in " + layer.usage.bytes());
    }

    /** The directory of a layer's files; a fault of kind NOT_FOUND when it is not there. */
    Path files(Digest chain) {
        if (!has(chain)) {
            throw RuntimeFault.notFound("use layer " + chain + ": it is not unpacked");
        }
        return directory.resolve(chain.hex()).resolve("fs");
    }

    void unpack(Optional<Digest> parent, Digest chain, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent) {
        check(parent, chain, diffId, mediaType);
        try (var _ = unpacking.lock(chain)) {
            if (has(chain)) {
                return;
            }
            Staged staged = PlatformThreads.call(() -> stage(diffId, compressed));
            boolean committed = false;
            try {
                // Not on a platform thread: many layers may wait here for a slow one.
                awaitParent.run();
                committed = PlatformThreads.call(() -> commit(staged, parent, chain, diffId));
            } finally {
                staged.implied.close();
                if (!committed) {
                    PlatformThreads.executor().execute(() -> RemoveTree.at(staged.directory));
                }
            }
            sync.add(chain);
        }
    }

    /** Refuses a layer that cannot be unpacked, or that is not what it is said to be. */
    static void check(Optional<Digest> parent, Digest chain, Digest diffId, String mediaType) {
        Digest right = parent.map(p -> Digest.ofBytes((p + " " + diffId).getBytes(StandardCharsets.UTF_8))).orElse(diffId);
        if (!right.equals(chain)) {
            throw RuntimeFault.invalid("unpack layer " + diffId + ": its chain id is " + right + ", not " + chain);
        }
        if (mediaType.endsWith("+encrypted")) {
            throw RuntimeFault.unsupported("unpack layer " + diffId + ": encrypted layers are not supported");
        }
    }

    private Staged stage(Digest diffId, InputStream compressed) throws IOException {
        Path temporary = scratch.resolve("unpack-" + RandomId.hex(8));
        boolean complete = false;
        SpilledRecords implied = new SpilledRecords(temporary);
        try {
            Files.createDirectory(temporary);
            Path files = Files.createDirectory(temporary.resolve("fs"));
            FreshInode fresh;
            try (Fd beside = Fd.openDirectory(temporary)) {
                fresh = FreshInode.in(beside);
            }
            try (LayerTree tree = new LayerTree(Fd.openDirectory(files), limits.pathDepth(), fresh, implied)) {
                UnpackLayer unpack = new UnpackLayer(tree, limits, temporary);
                Usage usage = unpack.unpack(compressed, diffId);
                complete = true;
                return new Staged(temporary, usage, implied, unpack.rootIsExplicit());
            }
        } finally {
            if (!complete) {
                implied.close();
                RemoveTree.at(temporary);
            }
        }
    }

    private boolean commit(Staged staged, Optional<Digest> parent, Digest chain, Digest diffId) throws IOException {
        if (parent.isPresent() && !has(parent.get())) {
            throw new RuntimeFault(Kind.ABORTED, "unpack layer " + diffId + ": the layer below is not there");
        }
        adopt(staged, parent);
        SnapshotRecord.of("chain", chain.toString(), "parent", parent.map(Digest::toString).orElse(""),
                "bytes", Long.toString(staged.usage.bytes()), "inodes", Long.toString(staged.usage.inodes()),
                "unsynced", bootId).write(staged.directory, false);
        structure.lock();
        try {
            if (parent.isPresent() && !has(parent.get())) {
                throw new RuntimeFault(Kind.ABORTED, "unpack layer " + diffId + ": the layer below was removed");
            }
            Files.move(staged.directory, directory.resolve(chain.hex()), StandardCopyOption.ATOMIC_MOVE);
            known.put(chain, new Layer(parent, staged.usage, false));
            return true;
        } finally {
            structure.unlock();
        }
    }

    private void adopt(Staged staged, Optional<Digest> parent) {
        List<Path> lowers = new ArrayList<>();
        for (Optional<Digest> at = parent; at.isPresent(); at = known.get(at.get()).parent) {
            lowers.add(files(at.get()));
        }
        AdoptDirectories.in(staged.directory.resolve("fs"), lowers, !staged.rootIsExplicit, staged.implied);
    }

    /** Removes a layer unless another stands on it or {@code inUse} says so; its files go in the background. */
    boolean remove(Digest chain, Predicate<Digest> inUse) {
        structure.lock();
        try {
            if (!has(chain)) {
                return true;
            }
            boolean isParent = known.values().stream().anyMatch(l -> l.parent.filter(chain::equals).isPresent());
            if (isParent || inUse.test(chain)) {
                return false;
            }
            discard(chain);
            known.remove(chain);
            return true;
        } finally {
            structure.unlock();
        }
    }

    private boolean discard(Digest chain) {
        Path gone = scratch.resolve("removed-" + RandomId.hex(8));
        try {
            Files.move(directory.resolve(chain.hex()), gone, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RuntimeFault.internal("remove layer " + chain + ": " + RuntimeFault.reason(e), e);
        }
        PlatformThreads.executor().execute(() -> RemoveTree.at(gone));
        return true;
    }

    private void synced(Digest chain) {
        Path layer = directory.resolve(chain.hex());
        // Now that all blocks have their place, the true figures are known. Not under the lock: it walks the tree.
        Usage exact = TreeUsage.of(layer);
        structure.lock();
        try {
            if (has(chain)) {
                SnapshotRecord.read(layer).with("unsynced", "").with("bytes", Long.toString(exact.bytes()))
                        .with("inodes", Long.toString(exact.inodes())).write(layer, true);
                known.put(chain, new Layer(known.get(chain).parent, exact, true));
            }
        } catch (IOException e) {
            LOG.atWarn().addKeyValue("layer", chain).setCause(e).log("mark layer as synced");
        } finally {
            structure.unlock();
        }
    }

    /** Runs {@code work} while no layer can be removed. */
    void whileStable(Runnable work) {
        structure.lock();
        try {
            work.run();
        } finally {
            structure.unlock();
        }
    }

    /** Waits until all layers are on the disk. */
    void awaitSync() {
        sync.await();
    }
}
