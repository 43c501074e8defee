package io.berth.pod.container;

import io.berth.base.JoinedOperations;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerEventType;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;

/** Lets a created container run its program. */
public final class StartContainer {

    private final Node node;
    private final RestoreContainer restores;
    private final JoinedOperations<String, String> operations = new JoinedOperations<>("start container");

    public StartContainer(Node node) {
        this.node = node;
        this.restores = new RestoreContainer(node);
    }

    /** @throws RuntimeFault NOT_FOUND, or FAILED_PRECONDITION when the container is not in the created state */
    public void start(String idOrPrefix) {
        String id = node.inventory().container(idOrPrefix).id();
        // A client that gives up must not leave it half started: its next attempt finds this one's result.
        operations.join(id, id, this::startOnce);
    }

    private String startOnce(String id) {
        try (var held = node.verbs().lock(id)) {
            Container container = node.inventory().container(id);
            if (container.phase() != Container.Phase.CREATED) {
                throw RuntimeFault.precondition("start container " + id + ": it is "
                        + container.phase().name().toLowerCase(java.util.Locale.ROOT)
                        + ", only a created container can be started");
            }
            Timeline.Operation timeline = node.timeline().operation(id, "StartContainer");
            long at = UnixTime.now();
            try {
                timeline.run("plugins", () -> node.hooks().containerStarting(container));
                run(container, timeline);
            } catch (RuntimeFault failure) {
                if (!runsAlready(container, failure)) {
                    // Not startable again: its process is ended, and the reason stays with it.
                    end(container);
                    node.exits().recordFailedStart(id, failure.getMessage());
                    throw failure;
                }
            }
            timeline.run("started", () -> node.inventory().changeContainer(id, old -> old.started(at)));
            if (container.awaitsRestore()) {
                restores.removeFiles(id);
            }
            node.events().container(ContainerEventType.CONTAINER_STARTED_EVENT, id, container.sandboxId());
            node.hooks().containerStarted(node.inventory().container(id));
            return id;
        }
    }

    private void run(Container container, Timeline.Operation timeline) {
        if (container.awaitsRestore()) {
            restores.restore(container, timeline);
        } else {
            timeline.run("runtime start", () -> node.runtime(container.handler())
                    .start(container.id(), container.init().map(ProcessIdentity::pid).orElse(0)));
        }
    }

    private void end(Container container) {
        if (container.awaitsRestore()) {
            restores.end(container);
        } else {
            node.cgroups().kill(container.cgroup());
        }
    }

    // An earlier attempt may have started it and failed to write that down.
    private boolean runsAlready(Container container, RuntimeFault failure) {
        if (container.awaitsRestore()) {
            return failure.kind() != RuntimeFault.Kind.DEADLINE_EXCEEDED && restores.takeUp(container);
        }
        return failure.kind() != RuntimeFault.Kind.DEADLINE_EXCEEDED
                && node.runtime(container.handler()).status(container.id()).filter("running"::equals).isPresent();
    }
}
