package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a node calls its snapshots at a snapshotter that others may use as well: layers by their chain id, others by their key,
 * after a prefix that no other node's directory has.
 */
record SnapshotNames(String prefix) {

    static SnapshotNames of(Path root) {
        return new SnapshotNames("berth-" + Digest.ofBytes(root.toAbsolutePath().normalize().toString()
                .getBytes(StandardCharsets.UTF_8)).hex().substring(0, 8) + "/");
    }

    String of(Digest chain) {
        return prefix + chain;
    }

    String of(String key) {
        return prefix + key;
    }

    /** The chain that a name stands for; empty for a key, and for what is not this node's. */
    Optional<Digest> chain(String name) {
        try {
            return key(name).filter(key -> key.indexOf(':') > 0).map(Digest::parse);
        } catch (RuntimeFault notOurs) {
            return Optional.empty();
        }
    }

    /** The key that a name stands for; empty for what is not this node's. */
    Optional<String> key(String name) {
        return name.startsWith(prefix) ? Optional.of(name.substring(prefix.length())) : Optional.empty();
    }
}
