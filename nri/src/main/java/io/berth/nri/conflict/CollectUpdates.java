package io.berth.nri.conflict;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.LinuxResources;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The updates of existing containers that plugins ask for in answer to one event. Used by one thread. */
public final class CollectUpdates {

    private static final class Pending {
        private final LinuxResources.Builder resources = LinuxResources.newBuilder();
        private boolean ignoreFailure = true;
    }

    private final Owners owners;
    private final Map<String, Pending> updates = new LinkedHashMap<>();

    public CollectUpdates(Owners owners) {
        this.owners = owners;
    }

    /** Begins the update of a container with what was asked for without plugins. */
    public void begin(String container, LinuxResources asked) {
        pending(container).resources.mergeFrom(asked);
    }

    private Pending pending(String container) {
        return updates.computeIfAbsent(container, id -> new Pending());
    }

    /** @throws RuntimeFault FAILED_PRECONDITION for two plugins that change the same limit */
    public void add(List<ContainerUpdate> wanted, String plugin) {
        for (ContainerUpdate update : wanted) {
            Pending pending = pending(update.getContainerId());
            // On a copy: of an update that conflicts and may fail, nothing is taken over.
            LinuxResources.Builder merged = pending.resources.clone();
            try {
                new MergeResources(owners, update.getContainerId(), plugin).merge(update.getLinux().getResources(), merged);
                pending.resources.clear().mergeFrom(merged.build());
                pending.ignoreFailure &= update.getIgnoreFailure();
            } catch (RuntimeFault conflict) {
                if (!update.getIgnoreFailure()) {
                    throw conflict;
                }
            }
        }
    }

    /** What one container gets, as far as it was mentioned. */
    public LinuxResources of(String container) {
        return pending(container).resources.build();
    }

    /** The updates of all containers but {@code except}, in the order in which they were first mentioned. */
    public List<ContainerUpdate> others(String except) {
        return updates.entrySet().stream().filter(entry -> !entry.getKey().equals(except))
                .map(entry -> message(entry.getKey(), entry.getValue())).toList();
    }

    private static ContainerUpdate message(String container, Pending pending) {
        ContainerUpdate.Builder update = ContainerUpdate.newBuilder().setContainerId(container)
                .setIgnoreFailure(pending.ignoreFailure);
        update.getLinuxBuilder().setResources(pending.resources);
        return update.build();
    }
}
