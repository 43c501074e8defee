package io.berth.pod.record;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.linux.Namespace;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A pod sandbox. Immutable; each change is a new record that {@link Inventory} persists and publishes.
 *
 * @param config as the client gave it
 * @param handler the runtime handler's name, never empty
 * @param createdAtNanos since the epoch
 * @param pinned the namespaces that are pinned for it
 * @param addresses its IP addresses, the primary one first
 * @param networkAttached whether the network has to be detached from it
 * @param cgroup the group that its containers' groups are made in
 * @param infra the process that holds its PID namespace, where the pod shares one
 */
public record Sandbox(String id, PodSandboxConfig config, String handler, long createdAtNanos, Phase phase,
        Set<Namespace> pinned, List<String> addresses, boolean networkAttached, String cgroup,
        Optional<ProcessIdentity> infra) {

    /** How far a sandbox has come. */
    public enum Phase {
        /** Made ahead of a request, for whichever pod comes: shown to nobody, removed when Berth finds it at its start. */
        PREPARED,
        /** Recorded intent: not shown to clients, removed when Berth finds it at its start. */
        CREATING,
        READY,
        /** Stopping has begun: it is shown as not ready, resources may be left. */
        STOPPING,
        STOPPED,
        /** Removing has begun: it is shown as not ready until nothing is left, and the removal goes on by itself. */
        REMOVING
    }

    public Sandbox with(Phase changed) {
        return new Sandbox(id, config, handler, createdAtNanos, changed, pinned, addresses, networkAttached, cgroup, infra);
    }

    public Sandbox withConfig(PodSandboxConfig changed) {
        return new Sandbox(id, changed, handler, createdAtNanos, phase, pinned, addresses, networkAttached, cgroup, infra);
    }

    public Sandbox withPinned(Set<Namespace> changed) {
        return new Sandbox(id, config, handler, createdAtNanos, phase, changed, addresses, networkAttached, cgroup, infra);
    }

    public Sandbox withNetwork(boolean attached, List<String> changed) {
        return new Sandbox(id, config, handler, createdAtNanos, phase, pinned, changed, attached, cgroup, infra);
    }

    public Sandbox withInfra(Optional<ProcessIdentity> changed) {
        return new Sandbox(id, config, handler, createdAtNanos, phase, pinned, addresses, networkAttached, cgroup, changed);
    }

    /** The namespace modes that the pod asked for. */
    public NamespaceOption namespaces() {
        return config.getLinux().getSecurityContext().getNamespaceOptions();
    }

    /** Whether it uses the node's network. */
    public boolean onHostNetwork() {
        return namespaces().getNetwork() == NamespaceMode.NODE;
    }

    /** Whether the pod has a user namespace of its own. */
    public boolean ownsUserNamespace() {
        return namespaces().getUsernsOptions().getMode() == NamespaceMode.POD && namespaces().hasUsernsOptions();
    }

    /** Whether its containers have ended and its network and namespaces are given back. */
    public boolean hasStopped() {
        return switch (phase) {
            case PREPARED, CREATING, READY, STOPPING -> false;
            case STOPPED, REMOVING -> true;
        };
    }

    /** Whether clients are told of it: not of one that is not whole yet, and not of one that is no pod's yet. */
    public boolean isShown() {
        return phase != Phase.PREPARED && phase != Phase.CREATING;
    }

    /** {@code namespace/name}, for people. */
    public String podName() {
        return config.getMetadata().getNamespace() + "/" + config.getMetadata().getName();
    }

    /** The name that must be unique: what a client repeats when it asks again for the same sandbox. */
    public static String uniqueName(PodSandboxConfig config) {
        var metadata = config.getMetadata();
        return String.join("_", metadata.getName(), metadata.getNamespace(), metadata.getUid(),
                Integer.toString(metadata.getAttempt()));
    }
}
