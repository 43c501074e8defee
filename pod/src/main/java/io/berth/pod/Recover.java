package io.berth.pod;

import io.berth.base.Timeline;
import io.berth.cri.v1.ContainerEventType;
import io.berth.linux.Namespaces;
import io.berth.pod.container.CheckpointContainer;
import io.berth.pod.container.LostEnds;
import io.berth.pod.container.LostExecs;
import io.berth.pod.container.RemoveContainer;
import io.berth.pod.container.RestoreContainer;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.RemovePodSandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.pod.sandbox.SandboxPool;
import io.berth.pod.sandbox.StopPodSandbox;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes records and reality agree at start: what runs is adopted, what ended meanwhile is recorded, what a crash left half
 * done is finished or removed. A part that fails is logged and left on record; it never keeps Berth from starting.
 */
public final class Recover {

    private static final Logger LOG = LoggerFactory.getLogger(Recover.class);

    private final Node node;
    private final StopPodSandbox stopSandbox;
    private final RemovePodSandbox removeSandbox;
    private final RemoveContainer removeContainer;
    private final Reconcile reconcile;
    private final SandboxPool pool;
    private final LostEnds lostEnds;
    private final LostExecs lostExecs;
    private final RestoreContainer restores;
    private final CheckpointContainer checkpoints;

    public Recover(Node node, StopPodSandbox stopSandbox, RemovePodSandbox removeSandbox, RemoveContainer removeContainer,
            Reconcile reconcile, SandboxPool pool) {
        this.node = node;
        this.stopSandbox = stopSandbox;
        this.removeSandbox = removeSandbox;
        this.removeContainer = removeContainer;
        this.reconcile = reconcile;
        this.pool = pool;
        this.lostEnds = new LostEnds(node);
        this.lostExecs = new LostExecs(node);
        this.restores = new RestoreContainer(node);
        this.checkpoints = new CheckpointContainer(node);
    }

    /** To be called once, after the exit files were read and before the first request is served. */
    public void run() {
        Timeline.Operation timeline = Timeline.unrecorded("Recover");
        timeline.run("containers", () -> node.inventory().containers().forEach(container ->
                safely("container", container.id(), () -> recover(container))));
        timeline.run("sandboxes", () -> node.inventory().sandboxes().forEach(sandbox ->
                safely("sandbox", sandbox.id(), () -> recover(sandbox))));
        Set<String> live = new HashSet<>();
        node.inventory().sandboxes().stream().filter(Sandbox::networkAttached).map(Sandbox::id).forEach(live::add);
        live.addAll(node.inventory().unreadable().keySet());
        safely("network", "", () -> timeline.run("network", () -> node.network().recover(live)));
        // Of a daemon that ended while it wrote one.
        safely("checkpoints", "", checkpoints::recover);
        timeline.run("reconcile", reconcile::compare);
    }

    private void recover(Container container) {
        switch (container.phase()) {
            case CREATING -> removeContainer.discard(container);
            case REMOVING -> {
                removeContainer.discard(container);
                node.events().container(ContainerEventType.CONTAINER_DELETED_EVENT, container.id(), container.sandboxId());
            }
            case CREATED, RUNNING -> {
                if (container.awaitsRestore()) {
                    restores.recover(container);
                    return;
                }
                node.runtime(container.handler()).adopt(container.described(node.directories().bundle(container.id())));
                lostEnds.check(container);
                lostSteps(node.inventory().container(container.id()));
                if (container.restore().isPresent()) {
                    restores.removeFiles(container.id());
                }
            }
            case EXITED -> { }
        }
    }

    private void lostSteps(Container container) {
        if (container.phase() == Container.Phase.CREATED && node.runtime(container.handler()).hasBegun(container.id(),
                container.init().map(ProcessIdentity::pid).orElse(0))) {
            // Killed between its start and the note of it. When exactly is lost: not before it was made.
            node.inventory().changeContainer(container.id(), old -> old.started(old.createdAtNanos()));
        }
        if (container.isLive()) {
            lostExecs.end(container);
        }
    }

    private void recover(Sandbox sandbox) {
        switch (sandbox.phase()) {
            case PREPARED -> pool.discard(sandbox.id());
            case CREATING, REMOVING -> removeSandbox.remove(sandbox.id());
            case STOPPING -> stopSandbox.stop(sandbox.id());
            case READY -> {
                SandboxNamespaces namespaces = new SandboxNamespaces(node);
                boolean whole = namespaces.pins(sandbox).values().stream().allMatch(Namespaces::isPinned);
                if (!whole) {
                    // After a reboot: nothing of it runs, and the kubelet makes a new one.
                    stopSandbox.stop(sandbox.id());
                } else {
                    node.runtime(sandbox.handler()).sandboxes().ifPresent(tasks -> tasks.adopt(sandbox.id()));
                }
            }
            case STOPPED -> { }
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void safely(String what, String id, Work work) {
        try {
            work.run();
        } catch (Exception e) {
            LOG.atError().addKeyValue("what", what).addKeyValue("id", id).setCause(e).log("recovery failed, left on record");
        }
    }
}
