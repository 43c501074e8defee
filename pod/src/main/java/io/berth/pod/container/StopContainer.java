package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.linux.Signals;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import java.time.Duration;
import java.util.Optional;

/**
 * Ends a container: its stop signal, and after the grace period SIGKILL to everything in it. No lock is held while it waits,
 * so a second stop with a shorter period takes effect. Idempotent: a container that is unknown or has ended is fine.
 */
public final class StopContainer {

    private static final Duration KILL_LIMIT = Duration.ofSeconds(30);

    private final Node node;

    public StopContainer(Node node) {
        this.node = node;
    }

    /**
     * @param grace zero kills at once
     * @throws RuntimeFault DEADLINE_EXCEEDED when the container survives SIGKILL, as one does that waits for a device
     */
    public void stop(String idOrPrefix, Duration grace) {
        Optional<Container> found = node.inventory().findContainer(idOrPrefix);
        if (found.isEmpty() || !found.get().isLive()) {
            return;
        }
        if (found.get().awaitsRestore()) {
            node.exits().recordNeverRestored(found.get().id());
        }
        node.inventory().findContainer(found.get().id()).filter(Container::isLive).ifPresent(live -> end(live, grace));
        node.inventory().findContainer(found.get().id()).ifPresent(node.hooks()::containerStopped);
    }

    private void end(Container container, Duration grace) {
        Timeline.Operation timeline = node.timeline().operation(container.id(), "StopContainer");
        // Before its start nothing in it could handle a signal.
        if (!grace.isZero() && container.phase() == Container.Phase.RUNNING) {
            if (timeline.step("grace period", () -> asked(container, grace))) {
                return;
            }
        }
        timeline.run("kill", () -> kill(container));
    }

    private boolean asked(Container container, Duration grace) {
        signal(container, container.stopSignal());
        return node.exits().await(container.id(), grace);
    }

    private void signal(Container container, int signal) {
        container.init().ifPresent(init -> node.runtime(container.handler()).signal(container.id(), init.process(), signal));
    }

    private void kill(Container container) {
        signal(container, Signals.KILL);
        boolean ownPids = container.config().getLinux().getSecurityContext().getNamespaceOptions().getPid()
                == io.berth.cri.v1.NamespaceMode.CONTAINER;
        if (!ownPids) {
            // The end of the first process does not end the others in a shared PID namespace.
            node.cgroups().kill(container.cgroup());
        }
        if (node.exits().await(container.id(), Duration.ofSeconds(2))) {
            return;
        }
        // No exit file: the monitor was killed, or processes outside of the PID namespace keep it waiting.
        node.cgroups().kill(container.cgroup());
        if (!container.init().map(ProcessIdentity::isAlive).orElse(false)
                && !node.runtime(container.handler()).isWatched(container.id())) {
            node.exits().record(container.id(), 255, UnixTime.now(), "its monitor ended before it: the exit code is lost");
            return;
        }
        if (!node.exits().await(container.id(), KILL_LIMIT)) {
            throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "stop container " + container.id()
                    + ": it has not ended " + KILL_LIMIT.toSeconds() + " s after SIGKILL: process "
                    + container.init().map(ProcessIdentity::pid).orElse(0)
                    + " may wait for a device or a network file system");
        }
    }
}
