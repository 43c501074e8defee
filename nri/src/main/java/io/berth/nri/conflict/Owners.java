package io.berth.nri.conflict;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.CompoundFieldOwners;
import io.berth.nri.v1.Field;
import io.berth.nri.v1.FieldOwners;
import io.berth.nri.v1.OwningPlugins;
import java.util.Locale;
import java.util.TreeMap;

/**
 * Which plugin changed what, by container, field and entry of the field. A plugin may take over what another one set by
 * removing it in the same answer. Used by one thread.
 */
public final class Owners {

    private record Key(Field field, String entry) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byField = field.compareTo(other.field);
            return byField != 0 ? byField : entry.compareTo(other.entry);
        }
    }

    /** What removed an entry has this in front of the plugin's name. */
    private static final String REMOVED_BY = "-";

    private final TreeMap<String, TreeMap<Key, String>> byContainer = new TreeMap<>();

    /** @throws RuntimeFault FAILED_PRECONDITION when another plugin has it already */
    void claim(String container, Field field, String entry, String plugin) {
        TreeMap<Key, String> owners = byContainer.computeIfAbsent(container, id -> new TreeMap<>());
        String owner = owners.get(new Key(field, entry));
        if (owner != null && !owner.equals(REMOVED_BY + plugin)) {
            String other = owner.startsWith(REMOVED_BY) ? owner.substring(1) : owner;
            throw RuntimeFault.precondition("change " + name(field) + (entry.isEmpty() ? "" : " " + entry) + " of container "
                    + container + ": NRI plugins " + other + " and " + plugin + " both do: let only one of them");
        }
        owners.put(new Key(field, entry), plugin);
    }

    void claim(String container, Field field, String plugin) {
        claim(container, field, "", plugin);
    }

    /** Notes that {@code plugin} took away what was set, and may set it anew. */
    void clear(String container, Field field, String entry, String plugin) {
        byContainer.computeIfAbsent(container, id -> new TreeMap<>()).put(new Key(field, entry), REMOVED_BY + plugin);
    }

    /** Adds a plugin to those that share a field without a conflict. */
    void share(String container, Field field, String plugin) {
        byContainer.computeIfAbsent(container, id -> new TreeMap<>())
                .merge(new Key(field, ""), plugin, (old, more) -> old + "," + more);
    }

    private static String name(Field field) {
        return field.name().replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }

    private static boolean isCompound(Field field) {
        return switch (field) {
            case Annotations, Mounts, Devices, CdiDevices, Env, HugepageLimits, CgroupsUnified, Rlimits, Namespace, Sysctl,
                    LinuxNetDevices -> true;
            default -> false;
        };
    }

    /** For validators. */
    public OwningPlugins message() {
        OwningPlugins.Builder all = OwningPlugins.newBuilder();
        byContainer.forEach((container, owners) -> {
            FieldOwners.Builder fields = FieldOwners.newBuilder();
            owners.forEach((key, plugin) -> {
                int number = key.field().getNumber();
                if (isCompound(key.field())) {
                    CompoundFieldOwners old = fields.getCompoundOrDefault(number, CompoundFieldOwners.getDefaultInstance());
                    fields.putCompound(number, old.toBuilder().putOwners(key.entry(), plugin).build());
                } else {
                    fields.putSimple(number, plugin);
                }
            });
            all.putOwners(container, fields.build());
        });
        return all.build();
    }
}
