package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.Mounts;
import io.berth.linux.PlatformThreads;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Unpacked layers by chain id, and root filesystems mounted from them with overlayfs, under {@code <root>/snapshots}:
 * {@code layers/<chain id>/fs}, {@code active/<key>/fs} and {@code work}, {@code tmp/} for what is not whole or is
 * going.
 *
 * <p>Durable and crash-safe: everything appears and disappears by a rename, and what a crash left in {@code tmp} is
 * removed at the next start. Thread-safe; calls block on the disk (on platform threads of their own). Operations are
 * idempotent by key.
 */
public final class Snapshots implements Snapshotter {

    private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);
    private static final Pattern KEY = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path INDEX_PARAMETER = Path.of("/sys/module/overlay/parameters/index");

    private final Path active;
    private final Path scratch;
    private final Layers layers;
    private final UnpackLimits limits;
    private final OverlayPaths paths;
    private final KeyedLocks<String> keys = new KeyedLocks<>();
    private final Map<String, RootFilesystem> mounted = new ConcurrentHashMap<>();

    public Snapshots(Path root) {
        this(root, UnpackLimits.DEFAULT, bootId());
    }

    /** @param bootId tells whether the machine has been restarted since a layer was written */
    Snapshots(Path root, UnpackLimits limits, String bootId) {
        this.limits = limits;
        Path directory = root.resolve("snapshots");
        this.active = directory.resolve("active");
        this.scratch = directory.resolve("tmp");
        try {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Files.createDirectories(active);
            Files.createDirectories(scratch);
            this.paths = new OverlayPaths(directory.resolve("l"));
            this.layers = new Layers(directory, scratch, limits, bootId);
            load();
            clearScratch();
        } catch (IOException e) {
            throw RuntimeFault.internal("open snapshots " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static String bootId() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException e) {
            throw RuntimeFault.internal("read the kernel's boot id: " + RuntimeFault.reason(e), e);
        }
    }

    private void load() throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(active)) {
            for (Path folder : all) {
                String key = folder.getFileName().toString();
                try {
                    mounted.put(key, SnapshotRecord.read(folder).root(key, folder.resolve("fs")));
                } catch (IOException | RuntimeException e) {
                    LOG.atWarn().addKeyValue("key", key).setCause(e).log("root filesystem left out");
                }
            }
        }
    }

    private void clearScratch() throws IOException {
        try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(scratch)) {
            for (Path leftover : leftovers) {
                PlatformThreads.executor().execute(() -> RemoveTree.at(leftover));
            }
        }
    }

    @Override
    public boolean has(Digest chainId) {
        return layers.has(chainId);
    }

    @Override
    public List<Digest> chains() {
        return layers.chains();
    }

    @Override
    public boolean goesInTurns() {
        return false;
    }

    @Override
    public boolean mapsOwners() {
        return true;
    }

    @Override
    public boolean bring(LayerSource layer) {
        return false;
    }

    @Override
    public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType,
            InputStream compressed, Runnable awaitParent) {
        layers.unpack(parentChain, chainId, diffId, mediaType, compressed, awaitParent);
    }

    /** As the other one, when the layer below is there. */
    public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType,
            InputStream compressed) {
        unpack(parentChain, chainId, diffId, mediaType, compressed, () -> { });
    }

    @Override
    public boolean removeLayer(Digest chainId) {
        return layers.remove(chainId, chain -> mounted.values().stream().anyMatch(fs -> fs.chain().contains(chain)));
    }

    @Override
    public Usage layerUsage() {
        return layers.usage();
    }

    /** What one layer takes by itself; empty when it is not there. */
    public Optional<Usage> layerUsage(Digest chainId) {
        return layers.usage(chainId);
    }

    @Override
    public Optional<String> layerDamage(Digest chainId) {
        return PlatformThreads.call(() -> layers.damage(chainId));
    }

    @Override
    public void awaitSync() {
        layers.awaitSync();
    }

    @Override
    public Set<String> activeKeys() {
        return Set.copyOf(mounted.keySet());
    }

    @Override
    public Optional<RootFilesystem> active(String key) {
        return Optional.ofNullable(mounted.get(key));
    }

    @Override
    public RootFilesystem prepare(String key, List<Digest> chainIds, Path mountPoint, Optional<MappedOwners> owners,
            Optional<String> label) {
        return mount(key, chainIds, mountPoint, owners, label, true, Optional.empty());
    }

    @Override
    public RootFilesystem prepareChanged(String key, List<Digest> chainIds, Path mountPoint, Optional<String> label,
            Changes changes) {
        return mount(key, chainIds, mountPoint, Optional.empty(), label, true, Optional.of(changes));
    }

    /** The directory of a layer's files, for reading; kind NOT_FOUND when it is not there. */
    public Path files(Digest chainId) {
        return layers.files(chainId);
    }

    @Override
    public RootFilesystem mountReadOnly(String key, List<Digest> chainIds, Path mountPoint,
            Optional<MappedOwners> owners, Optional<String> label) {
        return mount(key, chainIds, mountPoint, owners, label, false, Optional.empty());
    }

    private RootFilesystem mount(String key, List<Digest> chainIds, Path target, Optional<MappedOwners> owners,
            Optional<String> label, boolean writable, Optional<Changes> changes) {
        checkKey(key);
        if (target.toString().indexOf('\n') >= 0 || !target.isAbsolute()) {
            throw RuntimeFault.invalid("mount root filesystem " + key + ": the mount point is not an absolute path");
        }
        try (var _ = keys.lock(key)) {
            RootFilesystem wanted = new RootFilesystem(key, chainIds, target,
                    writable ? Optional.of(active.resolve(key).resolve("fs")) : Optional.empty());
            RootFilesystem there = mounted.get(key);
            if (there != null && !there.equals(wanted)) {
                throw new RuntimeFault(Kind.ALREADY_EXISTS, "mount root filesystem " + key
                        + ": the key is in use at " + there.mountPoint() + " with other layers or another place");
            }
            return PlatformThreads.call(() -> {
                boolean fresh = there == null;
                if (fresh) {
                    create(wanted, owners, changes);
                } else if (Mounts.isMountPoint(target)) {
                    return there;
                }
                try {
                    Files.createDirectories(target);
                    if (!fresh) {
                        forgetLastMount(key);
                    }
                    overlay(wanted, owners, label);
                } catch (IOException | RuntimeException e) {
                    if (fresh) {
                        discard(key);
                    }
                    throw e;
                }
                return wanted;
            });
        }
    }

    // The kernel refuses a volatile mount whose last one a crash of the machine ended, until its mark is gone.
    private void forgetLastMount(String key) throws IOException {
        Path work = active.resolve(key).resolve("work");
        RemoveTree.at(work);
        Files.createDirectories(work);
    }

    private void create(RootFilesystem wanted, Optional<MappedOwners> owners, Optional<Changes> changes)
            throws IOException {
        Path temporary = scratch.resolve("prepare-" + RandomId.hex(8));
        Files.createDirectory(temporary);
        boolean committed = false;
        try {
            Path upper = Files.createDirectory(temporary.resolve("fs"));
            Files.createDirectory(temporary.resolve("work"));
            SnapshotRecord.of(wanted).write(temporary, false);
            likeTopLayer(upper, wanted.chain(), owners);
            if (changes.isPresent()) {
                new ApplyChanges(upper, wanted.chain().reversed().stream().map(layers::files).toList(), limits)
                        .apply(changes.get());
            }
            layers.whileStable(() -> {
                wanted.chain().forEach(layers::files);
                mounted.put(wanted.key(), wanted);
            });
            Path place = active.resolve(wanted.key());
            if (Files.exists(place)) {
                // Left out by load(): its record was unreadable.
                Files.move(place, scratch.resolve("removed-" + RandomId.hex(8)), StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
            committed = true;
        } finally {
            if (!committed) {
                mounted.remove(wanted.key());
                RemoveTree.at(temporary);
            }
        }
    }

    // What a container sees as "/" has the attributes of the upper directory.
    private void likeTopLayer(Path upper, List<Digest> chain, Optional<MappedOwners> owners) {
        try (Fd made = Fd.openDirectory(upper)) {
            Inodes.changeMode(made, 0755);
            Inodes.changeOwner(made, owners.map(MappedOwners::rootUid).orElse(0), owners.map(MappedOwners::rootGid).orElse(0));
            if (!chain.isEmpty()) {
                try (Fd top = Fd.openDirectory(layers.files(chain.getLast()))) {
                    Inodes.Status like = Inodes.status(top);
                    Inodes.changeOwner(made, like.uid() + owners.map(MappedOwners::rootUid).orElse(0),
                            like.gid() + owners.map(MappedOwners::rootGid).orElse(0));
                    Inodes.changeMode(made, like.mode());
                }
            }
        }
    }

    private void overlay(RootFilesystem wanted, Optional<MappedOwners> owners, Optional<String> label)
            throws IOException {
        List<Path> lower = new ArrayList<>(wanted.chain().reversed().stream().map(layers::files).toList());
        Path folder = active.resolve(wanted.key());
        int least = wanted.isReadOnly() ? 2 : 1;
        while (lower.size() < least) {
            // Overlayfs wants that many; for an image without layers, or a view of one layer.
            Path empty = folder.resolve("empty" + lower.size());
            Files.createDirectories(empty);
            lower.add(empty);
        }
        List<String> extra = new ArrayList<>();
        label.map(Mounts::labelOption).ifPresent(extra::add);
        if (!wanted.isReadOnly()) {
            // Its unmount would write out the whole file system below the upper directory: docs/adr/0006.
            extra.add("volatile");
        }
        if (!wanted.isReadOnly() && Files.exists(INDEX_PARAMETER)) {
            // The index would tie the upper directory to one set of lower file handles; a restored node has others.
            extra.add("index=off");
        }
        try (MappedLayers mapped = MappedLayers.of(lower, owners, folder.resolve("mapped"));
                OverlayPaths.Shortened shortened = paths.shortened(mapped.paths())) {
            if (wanted.isReadOnly()) {
                Mounts.overlayReadOnly(shortened.paths(), wanted.mountPoint(), extra);
            } else {
                Mounts.overlay(shortened.paths(), folder.resolve("fs"), folder.resolve("work"), wanted.mountPoint(), extra);
            }
        }
    }

    @Override
    public void remove(String key) {
        checkKey(key);
        try (var _ = keys.lock(key)) {
            RootFilesystem there = mounted.get(key);
            if (there == null && !Files.exists(active.resolve(key))) {
                return;
            }
            PlatformThreads.call(() -> {
                if (there != null) {
                    Mounts.unmount(there.mountPoint());
                }
                discard(key);
                return key;
            });
        }
    }

    private void discard(String key) throws IOException {
        Path gone = scratch.resolve("removed-" + RandomId.hex(8));
        if (Files.exists(active.resolve(key))) {
            Files.move(active.resolve(key), gone, StandardCopyOption.ATOMIC_MOVE);
        }
        mounted.remove(key);
        PlatformThreads.executor().execute(() -> RemoveTree.at(gone));
    }

    @Override
    public List<String> writeChanges(String key, OutputStream out) {
        Path upper = active(key).flatMap(RootFilesystem::upper).orElseThrow(() ->
                RuntimeFault.notFound("write the changes of root filesystem " + key + ": there is no writable one"));
        return PlatformThreads.call(() -> new WriteChanges(upper).to(out));
    }

    @Override
    public Usage usage(String key) {
        checkKey(key);
        Optional<Path> upper = active(key).orElseThrow(() ->
                RuntimeFault.notFound("count root filesystem " + key + ": there is none")).upper();
        return upper.isEmpty() ? Usage.NONE : PlatformThreads.call(() -> TreeUsage.of(upper.get()));
    }

    static void checkKey(String key) {
        if (!KEY.matcher(key).matches()) {
            throw RuntimeFault.invalid("use root filesystem \"" + key.replaceAll("[^\\x20-\\x7e]", "?")
                    + "\": a key has letters, digits, dots, dashes and underscores");
        }
    }
}
