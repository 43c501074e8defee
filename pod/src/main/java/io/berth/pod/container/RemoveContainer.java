package io.berth.pod.container;

import io.berth.base.Timeline;
import io.berth.cri.v1.ContainerEventType;
import io.berth.linux.Cgroups;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.time.Duration;
import java.util.Optional;

/** Removes a container and all that belongs to it but its log; one that runs is killed first. Idempotent. */
public final class RemoveContainer {

    private final Node node;
    private final StopContainer stopContainer;
    private final ContainerBundle bundles;

    public RemoveContainer(Node node, StopContainer stopContainer) {
        this.node = node;
        this.stopContainer = stopContainer;
        this.bundles = new ContainerBundle(node);
    }

    public void remove(String idOrPrefix) {
        Optional<Container> found = node.inventory().findContainer(idOrPrefix);
        if (found.isEmpty()) {
            return;
        }
        String id = found.get().id();
        stopContainer.stop(id, Duration.ZERO);
        try (var held = node.verbs().lockInterruptibly(id)) {
            Optional<Container> current = node.inventory().findContainer(id);
            if (current.isEmpty()) {
                return;
            }
            node.timeline().operation(id, "RemoveContainer").run("removing", () ->
                    node.inventory().changeContainer(id, container -> container.with(Container.Phase.REMOVING)));
            // It may have ended just now, by itself, with nobody told yet.
            node.hooks().containerStopped(current.get());
            node.hooks().containerRemoving(current.get());
            discard(current.get());
            node.events().container(ContainerEventType.CONTAINER_DELETED_EVENT, id, current.get().sandboxId());
        }
    }

    /** Removes what there is of a container whose processes have ended or may be killed. */
    public void discard(Container container) {
        String id = container.id();
        Timeline.Operation timeline = node.timeline().operation(id, "RemoveContainer");
        timeline.run("runtime delete", () -> deleteFromRuntime(container));
        timeline.run("cgroup", () -> endGroup(container.cgroup()));
        timeline.run("root filesystem", () -> bundles.remove(id));
        timeline.run("exit file", () -> node.exits().forget(id));
        timeline.run("record", () -> node.inventory().removeContainer(id));
        node.timeline().forget(id);
    }

    private void endGroup(String group) {
        boolean ours = !Cgroups.isBySystemd(group);
        // What the kernel lets go at once has no process in it: the usual case.
        if (ours && node.cgroups().removeEmpty(group)) {
            return;
        }
        node.cgroups().kill(group);
        if (ours) {
            node.cgroups().remove(group);
        }
    }

    // Without an end on record something may run: in the middle of a creation, or after a crash.
    private void deleteFromRuntime(Container container) {
        if (container.phase() == Container.Phase.EXITED) {
            node.runtime(container.handler()).deleteEnded(container.id());
        } else {
            node.runtime(container.handler()).delete(container.id());
        }
    }
}
