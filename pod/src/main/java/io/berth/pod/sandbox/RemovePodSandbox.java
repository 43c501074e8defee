package io.berth.pod.sandbox;

import io.berth.base.Timeline;
import io.berth.linux.Cgroups;
import io.berth.pod.Node;
import io.berth.pod.container.RemoveContainer;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.util.Optional;

/**
 * Removes a sandbox with its containers, stopping it first where it is not stopped. Idempotent, and once begun it is
 * finished: what a crash or a failed step leaves is removed at the next start or reconciliation.
 */
public final class RemovePodSandbox {

    private final Node node;
    private final StopPodSandbox stopSandbox;
    private final RemoveContainer removeContainer;
    private final SandboxFiles files;
    private final SandboxTask task;

    public RemovePodSandbox(Node node, StopPodSandbox stopSandbox, RemoveContainer removeContainer) {
        this.node = node;
        this.stopSandbox = stopSandbox;
        this.removeContainer = removeContainer;
        this.files = new SandboxFiles(node);
        this.task = new SandboxTask(node);
    }

    public void remove(String idOrPrefix) {
        Optional<Sandbox> found = node.inventory().findSandbox(idOrPrefix).filter(one -> one.phase() != Sandbox.Phase.PREPARED);
        if (found.isEmpty()) {
            return;
        }
        String id = found.get().id();
        stopSandbox.stop(id);
        try (var held = node.verbs().lockInterruptibly(id)) {
            Optional<Sandbox> current = node.inventory().findSandbox(id);
            if (current.isEmpty()) {
                return;
            }
            Timeline.Operation timeline = node.timeline().operation(id, "RemovePodSandbox");
            timeline.run("removing", () ->
                    node.inventory().changeSandbox(id, sandbox -> sandbox.with(Sandbox.Phase.REMOVING)));
            timeline.run("containers", () -> node.inventory().containersOf(id).stream().map(Container::id)
                    .forEach(removeContainer::remove));
            timeline.run("plugins", () -> node.hooks().sandboxRemoving(current.get()));
            if (task.isNeeded(current.get())) {
                timeline.run("sandbox task", () -> task.remove(current.get()));
            }
            timeline.run("files", () -> files.remove(id));
            timeline.run("cgroup", () -> removeOwnCgroup(current.get()));
            timeline.run("record", () -> node.inventory().removeSandbox(id));
            node.events().removed(current.get());
            node.timeline().forget(id);
        }
    }

    // A parent that the client named is the client's to remove.
    private void removeOwnCgroup(Sandbox sandbox) {
        if (sandbox.config().getLinux().getCgroupParent().isEmpty() && !Cgroups.isBySystemd(sandbox.cgroup())) {
            node.cgroups().remove(sandbox.cgroup());
        }
    }
}
