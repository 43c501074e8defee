package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The snapshotters of a node by name. Immutable; the snapshotters belong to whoever made them.
 *
 * @param builtIn Berth's own, whose layers are directories
 * @param usual the name of the one that is meant where none is named
 * @param byName all of them
 */
public record Snapshotters(Snapshots builtIn, String usual, Map<String, Snapshotter> byName) {

    /** The name of Berth's own. */
    public static final String BUILT_IN = "overlayfs";

    public Snapshotters {
        byName = Map.copyOf(byName);
    }

    /** A node that has only Berth's own. */
    public static Snapshotters only(Snapshots builtIn) {
        return new Snapshotters(builtIn, BUILT_IN, Map.of(BUILT_IN, builtIn));
    }

    /** The one of this name; the empty name stands for the usual one. */
    public Snapshotter of(String name) {
        Snapshotter found = byName.get(name.isEmpty() ? usual : name);
        if (found == null) {
            throw RuntimeFault.precondition("use snapshotter " + (name.isEmpty() ? usual : name) + ": this node has only "
                    + byName.keySet() + ": add [proxy_plugins." + name + "] to the configuration");
        }
        return found;
    }

    /** Each of them. */
    public Collection<Snapshotter> all() {
        return byName.values();
    }

    /** The keys of all root filesystems. */
    public List<String> activeKeys() {
        return all().stream().flatMap(snapshotter -> snapshotter.activeKeys().stream()).toList();
    }

    /** The one that has the root filesystem of this key. */
    public Optional<Snapshotter> holding(String key) {
        return all().stream().filter(snapshotter -> snapshotter.active(key).isPresent()).findFirst();
    }

    /** Removes a root filesystem, whoever has it; nothing happens where there is none. */
    public void remove(String key) {
        all().forEach(snapshotter -> snapshotter.remove(key));
    }

    /** What a container has changed; NOT_FOUND when there is no such root filesystem. */
    public Usage usage(String key) {
        return holding(key).orElseThrow(() -> RuntimeFault.notFound("count root filesystem " + key + ": there is none"))
                .usage(key);
    }

    /** What all layers take. */
    public Usage layerUsage() {
        return all().stream().map(Snapshotter::layerUsage).reduce(Usage.NONE, Usage::plus);
    }
}
