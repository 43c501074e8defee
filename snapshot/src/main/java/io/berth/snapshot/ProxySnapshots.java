package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Mounts;
import io.berth.linux.PlatformThreads;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers and root filesystems that another program keeps, such as one that reads an image's files only when a container
 * does. Berth unpacks what that program does not bring itself, and mounts what it is told to mount.
 *
 * <p>What is mounted is on record under {@code <root>/snapshotters/<name>} before the program is asked, so that a crash
 * leaves nothing behind, and is known while the program is down. All snapshots have names that begin with this node's
 * prefix: others may use the same program. Thread-safe.
 */
public final class ProxySnapshots implements Snapshotter {

    private static final Logger LOG = LoggerFactory.getLogger(ProxySnapshots.class);

    private final String name;
    private final SnapshotCalls calls;
    private final MountRecords records;
    private final ProxyLayers layers;
    private final UnpackLimits limits = UnpackLimits.DEFAULT;
    private final SnapshotNames names;
    private final KeyedLocks<String> keys = new KeyedLocks<>();
    private final ProxyUsage usage;

    /**
     * @param name of the snapshotter, for people
     * @param root the node's root directory
     * @param calls stays the caller's
     */
    public ProxySnapshots(String name, Path root, SnapshotCalls calls) {
        this.name = name;
        this.calls = calls;
        Path directory = root.resolve("snapshotters").resolve(name);
        this.names = SnapshotNames.of(root);
        this.records = new MountRecords(directory.resolve("mounts"));
        this.usage = new ProxyUsage(name, calls, names);
        try {
            this.layers = new ProxyLayers(name, calls, names, directory.resolve("tmp"), limits);
        } catch (IOException e) {
            throw RuntimeFault.internal("open snapshotter " + name + " in " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    @Override
    public boolean has(Digest chainId) {
        return layers.has(chainId);
    }

    /** Those that the program tells of; none while it does not answer. Removes what a crash has left with it, too. */
    @Override
    public List<Digest> chains() {
        return layers.chains(key -> records.find(key).isPresent());
    }

    @Override
    public boolean goesInTurns() {
        return true;
    }

    @Override
    public boolean mapsOwners() {
        return false;
    }

    @Override
    public boolean bring(LayerSource layer) {
        return layers.bring(layer);
    }

    @Override
    public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent) {
        layers.unpack(parentChain, chainId, diffId, mediaType, compressed, awaitParent);
    }

    @Override
    public boolean removeLayer(Digest chainId) {
        return records.all().stream().noneMatch(root -> root.chain().contains(chainId)) && layers.remove(chainId);
    }

    @Override
    public Usage layerUsage() {
        return usage.ofLayers();
    }

    @Override
    public Optional<String> layerDamage(Digest chainId) {
        return layers.damage(chainId);
    }

    /** The program's own concern. */
    @Override
    public void awaitSync() {}

    @Override
    public Set<String> activeKeys() {
        return records.keys();
    }

    @Override
    public Optional<RootFilesystem> active(String key) {
        return records.find(key);
    }

    @Override
    public RootFilesystem prepare(String key, List<Digest> chainIds, Path mountPoint, Optional<MappedOwners> owners,
            Optional<String> label) {
        return mount(new RootFilesystem(key, chainIds, mountPoint, Optional.of(mountPoint)), owners, label, Optional.empty());
    }

    @Override
    public RootFilesystem prepareChanged(String key, List<Digest> chainIds, Path mountPoint, Optional<String> label,
            Changes changes) {
        return mount(new RootFilesystem(key, chainIds, mountPoint, Optional.of(mountPoint)), Optional.empty(), label,
                Optional.of(changes));
    }

    @Override
    public RootFilesystem mountReadOnly(String key, List<Digest> chainIds, Path mountPoint, Optional<MappedOwners> owners,
            Optional<String> label) {
        return mount(new RootFilesystem(key, chainIds, mountPoint, Optional.empty()), owners, label, Optional.empty());
    }

    private RootFilesystem mount(RootFilesystem wanted, Optional<MappedOwners> owners, Optional<String> label,
            Optional<Changes> changes) {
        Snapshots.checkKey(wanted.key());
        if (owners.isPresent()) {
            throw RuntimeFault.unsupported("mount root filesystem " + wanted.key() + ": snapshotter " + name
                    + " is not asked for the owners of a user namespace: use the handler without hostUsers: false, or "
                    + Snapshotters.BUILT_IN);
        }
        try (var _ = keys.lock(wanted.key())) {
            boolean fresh = records.claim(wanted);
            if (!fresh && Mounts.isMountPoint(wanted.mountPoint())) {
                return wanted;
            }
            boolean mounted = false;
            try {
                List<SnapshotMount> mounts = fresh ? begin(wanted) : calls.mounts(names.of(wanted.key()));
                PlatformThreads.call(() -> {
                    if (changes.isPresent()) {
                        apply(changes.get(), mounts);
                    }
                    Files.createDirectories(wanted.mountPoint());
                    new MountSnapshot(mounts, label).at(wanted.mountPoint());
                    return wanted;
                });
                mounted = true;
            } finally {
                if (!mounted && fresh) {
                    discard(wanted);
                }
            }
            return wanted;
        }
    }

    private List<SnapshotMount> begin(RootFilesystem wanted) {
        String key = names.of(wanted.key());
        String parent = wanted.chain().isEmpty() ? "" : names.of(wanted.chain().getLast());
        try {
            return wanted.isReadOnly() ? calls.view(key, parent) : calls.prepare(key, parent, Map.of());
        } catch (RuntimeFault fault) {
            if (fault.kind() == Kind.NOT_FOUND) {
                layers.doubt(wanted.chain());
                throw new RuntimeFault(Kind.UNAVAILABLE, "mount root filesystem " + wanted.key() + ": snapshotter " + name
                        + " does not have its layers any more: they are brought again at the next attempt", fault);
            }
            throw fault;
        }
    }

    private void apply(Changes changes, List<SnapshotMount> mounts) throws IOException {
        SnapshotMount overlay = overlay(mounts, "restore a container");
        new ApplyChanges(overlay.upper().orElseThrow(), overlay.lowers(), limits).apply(changes);
    }

    private SnapshotMount overlay(List<SnapshotMount> mounts, String what) {
        if (mounts.size() != 1 || mounts.getFirst().upper().isEmpty()) {
            throw RuntimeFault.unsupported(what + ": snapshotter " + name + " does not tell where a container's changes are:"
                    + " use one that gives overlays, such as " + Snapshotters.BUILT_IN);
        }
        return mounts.getFirst();
    }

    // What cannot be undone now stays on record, and with it the key: Berth takes it away when it is asked to remove it.
    private void discard(RootFilesystem root) {
        try {
            remove(root.key());
        } catch (RuntimeFault e) {
            LOG.atWarn().addKeyValue("snapshotter", name).addKeyValue("key", root.key()).setCause(e).log("take back a snapshot");
        }
    }

    @Override
    public void remove(String key) {
        Snapshots.checkKey(key);
        try (var _ = keys.lock(key)) {
            Optional<RootFilesystem> there = records.find(key);
            if (there.isEmpty()) {
                return;
            }
            PlatformThreads.call(() -> {
                Mounts.at(there.get().mountPoint()).forEach(Mounts::unmount);
                return key;
            });
            try {
                calls.remove(names.of(key));
            } catch (RuntimeFault fault) {
                if (fault.kind() != Kind.NOT_FOUND) {
                    throw RuntimeFault.during("remove root filesystem " + key, fault);
                }
            }
            layers.cleanUp();
            records.remove(key);
            usage.forget(key);
        }
    }

    @Override
    public List<String> writeChanges(String key, OutputStream out) {
        SnapshotMount overlay = overlay(calls.mounts(names.of(key)), "write the changes of root filesystem " + key);
        return PlatformThreads.call(() -> new WriteChanges(overlay.upper().orElseThrow()).to(out));
    }

    @Override
    public Usage usage(String key) {
        return records.find(key).orElseThrow(() ->
                RuntimeFault.notFound("count root filesystem " + key + ": there is none")).isReadOnly()
                ? Usage.NONE : usage.ofRoot(key);
    }
}
