package io.berth.pod.container;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.request.CheckResources;
import io.berth.pod.spec.ResourcesSpec;
import tools.jackson.databind.node.ObjectNode;

/** Gives a container new limits while it runs. A field that the request leaves at 0 or empty stays as it is. */
public final class UpdateContainerResources {

    private final Node node;
    private final ResourcesSpec resources;
    private final KeyedLocks<String> changing = new KeyedLocks<>();

    public UpdateContainerResources(Node node) {
        this.node = node;
        this.resources = new ResourcesSpec(node.cgroups());
    }

    /** @throws RuntimeFault FAILED_PRECONDITION when the container has ended, else what the runtime says */
    public void update(String idOrPrefix, LinuxContainerResources wanted) {
        String id = node.inventory().container(idOrPrefix).id();
        CheckResources.check("update container " + id + ": ", wanted);
        try (var held = node.verbs().lock(id)) {
            Container container = node.inventory().container(id);
            if (!container.isLive()) {
                throw RuntimeFault.precondition("update container " + id + ": it has ended");
            }
            change(id, node.hooks().containerUpdating(container, wanted));
            node.hooks().containerUpdated(node.inventory().container(id));
        }
    }

    /**
     * As {@link #update}, for those who take part in verbs: it asks nobody and waits for no verb, only for another change of
     * the same limits.
     */
    public void change(String id, LinuxContainerResources wanted) {
        try (var held = changing.lock(id)) {
            Container container = node.inventory().container(id);
            if (!container.isLive()) {
                throw RuntimeFault.precondition("update container " + id + ": it has ended");
            }
            if (container.awaitsRestore()) {
                throw RuntimeFault.precondition("update container " + id + ": it waits for its restore: start it first");
            }
            LinuxContainerResources merged = merged(container.resources(), wanted);
            CheckResources.swap("update container " + id + ": ", merged);
            node.timeline().operation(id, "UpdateContainerResources").run("runtime update", () -> apply(container, merged));
            node.inventory().changeContainer(id, old -> old.withResources(merged));
        }
    }

    private void apply(Container container, LinuxContainerResources merged) {
        ObjectNode limits = resources.write(merged);
        // The kubelet sends empty hugepage limits with every resize; runtimes refuse to change them anyway.
        limits.remove("hugepageLimits");
        try {
            node.runtime(container.handler()).update(container.id(), limits);
        } catch (RuntimeFault refused) {
            // The limits are well-formed: the kernel does not take them now, such as a memory limit below what is used.
            throw refused.kind() == RuntimeFault.Kind.INTERNAL ? RuntimeFault.precondition(refused.getMessage()) : refused;
        }
    }

    static LinuxContainerResources merged(LinuxContainerResources old, LinuxContainerResources wanted) {
        LinuxContainerResources.Builder merged = old.toBuilder();
        if (wanted.getHugepageLimitsCount() > 0) {
            merged.clearHugepageLimits();
        }
        // Of a protocol message, fields that are 0 or empty are absent, so merging takes over just what was set. A new memory
        // limit without a swap limit must not keep one that is smaller than it.
        merged.mergeFrom(wanted);
        if (wanted.getMemoryLimitInBytes() > 0 && wanted.getMemorySwapLimitInBytes() == 0) {
            merged.setMemorySwapLimitInBytes(0);
        }
        return merged.build();
    }
}
