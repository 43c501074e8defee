package io.berth.pod.record;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.store.RecordStore;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * All sandboxes and containers: answered from memory, persisted before they are published. Thread-safe; a change is atomic
 * for its record, and the function that makes it must be quick.
 */
public final class Inventory {

    private static final Logger LOG = LoggerFactory.getLogger(Inventory.class);
    private static final String SANDBOXES = "sandboxes";
    private static final String CONTAINERS = "containers";

    private final RecordStore store;
    private final RecordFormat format = new RecordFormat();
    private final Map<String, Sandbox> sandboxes = new ConcurrentHashMap<>();
    private final Map<String, Container> containers = new ConcurrentHashMap<>();
    private final Map<String, String> unreadable = new TreeMap<>();
    private final KeyedLocks<String> locks = new KeyedLocks<>();

    /** Reads what is in {@code store}. A record that cannot be read is reported, and what it stands for is left alone. */
    public Inventory(RecordStore store) {
        this.store = store;
        load(SANDBOXES, Sandbox.class).forEach(sandbox -> sandboxes.put(sandbox.id(), sandbox));
        load(CONTAINERS, Container.class).forEach(container -> containers.put(container.id(), container));
    }

    private <T> List<T> load(String kind, Class<T> type) {
        return store.all(kind).entrySet().stream().flatMap(entry -> {
            try {
                return java.util.stream.Stream.of(format.read(entry.getValue(), type));
            } catch (JacksonException e) {
                LOG.atError().addKeyValue("kind", kind).addKeyValue("id", entry.getKey()).setCause(e)
                        .log("record cannot be read, what it stands for is left alone");
                unreadable.put(entry.getKey(), kind);
                return java.util.stream.Stream.empty();
            }
        }).toList();
    }

    public void add(Sandbox sandbox) {
        change(SANDBOXES, sandboxes, sandbox.id(), old -> sandbox);
    }

    public void add(Container container) {
        change(CONTAINERS, containers, container.id(), old -> container);
    }

    /** Changes a sandbox; NOT_FOUND when it is gone. */
    public Sandbox changeSandbox(String id, UnaryOperator<Sandbox> change) {
        return change(SANDBOXES, sandboxes, id, old -> change.apply(present(old, "sandbox", id)));
    }

    /** Changes a container; NOT_FOUND when it is gone. */
    public Container changeContainer(String id, UnaryOperator<Container> change) {
        return change(CONTAINERS, containers, id, old -> change.apply(present(old, "container", id)));
    }

    public void removeSandbox(String id) {
        remove(SANDBOXES, sandboxes, id);
    }

    public void removeContainer(String id) {
        remove(CONTAINERS, containers, id);
    }

    private <T> T change(String kind, Map<String, T> all, String id, Function<T, T> change) {
        try (var held = locks.lock(id)) {
            T old = all.get(id);
            T changed = change.apply(old);
            if (changed != old) {
                store.put(kind, id, format.write(changed));
                all.put(id, changed);
            }
            return changed;
        }
    }

    private void remove(String kind, Map<String, ?> all, String id) {
        try (var held = locks.lock(id)) {
            store.remove(kind, id);
            all.remove(id);
        }
    }

    private static <T> T present(T record, String what, String id) {
        if (record == null) {
            throw RuntimeFault.notFound("find " + what + " " + id + ": there is none");
        }
        return record;
    }

    /**
     * Ids of records that cannot be read, each with its kind: damaged, or written by a version with ideas that this one does
     * not have. Nothing is known of them but that they are there.
     */
    public Map<String, String> unreadable() {
        return Map.copyOf(unreadable);
    }

    /** The sandbox with this id or with the only id that begins with it. */
    public Optional<Sandbox> findSandbox(String id) {
        return find(sandboxes, id);
    }

    /** The container with this id or with the only id that begins with it. */
    public Optional<Container> findContainer(String id) {
        return find(containers, id);
    }

    /** As {@link #findSandbox}, or a NOT_FOUND fault. */
    public Sandbox sandbox(String id) {
        return present(find(sandboxes, id).orElse(null), "sandbox", id);
    }

    /** As {@link #findContainer}, or a NOT_FOUND fault. */
    public Container container(String id) {
        return present(find(containers, id).orElse(null), "container", id);
    }

    private static <T> Optional<T> find(Map<String, T> all, String id) {
        T exact = all.get(id);
        if (exact != null || id.isEmpty()) {
            return Optional.ofNullable(exact);
        }
        List<String> matches = all.keySet().stream().filter(each -> each.startsWith(id)).limit(2).toList();
        return matches.size() == 1 ? Optional.ofNullable(all.get(matches.getFirst())) : Optional.empty();
    }

    /** All sandboxes, those in creation included. */
    public Collection<Sandbox> sandboxes() {
        return List.copyOf(sandboxes.values());
    }

    /** All containers, those in creation included. */
    public Collection<Container> containers() {
        return List.copyOf(containers.values());
    }

    /** The containers of a sandbox, those in creation included. */
    public List<Container> containersOf(String sandboxId) {
        return containers.values().stream().filter(container -> container.sandboxId().equals(sandboxId)).toList();
    }
}
