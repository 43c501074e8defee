package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.util.List;
import java.util.Map;

/**
 * The snapshotters of a node as images see them, by name. Immutable.
 *
 * @param usual the name of the one that is meant where none is named
 */
public record Unpackers(String usual, Map<String, Unpacker> byName) {

    public Unpackers {
        byName = Map.copyOf(byName);
        if (!byName.containsKey(usual)) {
            throw RuntimeFault.precondition("use snapshotter " + usual + ": there is none of this name, only " + byName.keySet());
        }
    }

    /** A node with one snapshotter. */
    static Unpackers only(Unpacker unpacker) {
        return new Unpackers("overlayfs", Map.of("overlayfs", unpacker));
    }

    /** The one of this name; the empty name stands for the usual one. */
    Unpacker of(String name) {
        Unpacker found = byName.get(name.isEmpty() ? usual : name);
        if (found == null) {
            throw RuntimeFault.precondition("use snapshotter " + name + ": this node has only " + byName.keySet()
                    + ": add [proxy_plugins." + name + "] to the configuration");
        }
        return found;
    }

    /** Each of them, in no order. */
    List<Unpacker> all() {
        return List.copyOf(byName.values());
    }

    /** Whether a layer may be unpacked in more than one place. */
    boolean areSeveral() {
        return byName.size() > 1;
    }

    /** The chains that are in any of them. */
    List<Digest> chains() {
        return byName.values().stream().flatMap(unpacker -> unpacker.chains().stream()).distinct().toList();
    }

    /**
     * Removes a chain from all of them, as {@link Unpacker#remove} says; whether it is gone from each.
     *
     * @param away those that do not answer, with their reasons: not asked again, and more of them are put into it
     */
    boolean remove(Digest chain, Map<Unpacker, RuntimeFault> away) {
        boolean gone = true;
        for (Unpacker unpacker : byName.values()) {
            if (away.containsKey(unpacker)) {
                gone = false;
                continue;
            }
            try {
                gone &= unpacker.remove(chain);
            } catch (RuntimeFault fault) {
                if (fault.kind() != RuntimeFault.Kind.UNAVAILABLE) {
                    throw fault;
                }
                away.put(unpacker, fault);
                gone = false;
            }
        }
        return gone;
    }
}
