package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.linux.DirectoryTree;
import io.berth.pod.Node;
import io.berth.pod.checkpoint.UnpackCheckpoint;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.runtime.Checkpoints;
import io.berth.runtime.ContainerRuntime.FirstProcess;
import java.util.Optional;

/**
 * Starts a container that is made from a checkpoint: it goes on where that was written. That it has begun is on record before
 * anything is done, so that a daemon which finds it there takes up what runs and ends what does not.
 */
public final class RestoreContainer {

    private final Node node;
    private final SandboxNamespaces namespaces;

    public RestoreContainer(Node node) {
        this.node = node;
        this.namespaces = new SandboxNamespaces(node);
    }

    private Checkpoints checkpoints(Container container) {
        return RequireCriu.of(node, container.handler(), "restore container " + container.id());
    }

    /** Brings the container's processes back. When that fails {@link #end} removes what it has made. */
    void restore(Container container, Timeline.Operation timeline) {
        String id = container.id();
        Checkpoints checkpoints = checkpoints(container);
        if (container.restore().filter(Container.Restore.BEGUN::equals).isPresent()) {
            // An attempt that could not write down how it went.
            if (!takeUp(container)) {
                throw RuntimeFault.precondition("restore container " + id + ": an earlier attempt has failed: make a new one");
            }
            return;
        }
        timeline.run("restoring", () -> node.inventory().changeContainer(id, this::begun));
        FirstProcess process = timeline.step("runtime restore", () -> checkpoints.restore(
                container.described(node.directories().bundle(id)),
                new UnpackCheckpoint(node.directories().restore(id)).images()));
        timeline.run("pod's namespaces", () -> furnishAgain(container));
        timeline.run("restored", () -> node.inventory().changeContainer(id, old -> old.restored(ProcessIdentity.of(process))));
    }

    private void furnishAgain(Container container) {
        namespaces.furnishAgain(node.inventory().sandbox(container.sandboxId()));
    }

    // It may have been stopped meanwhile, for which nobody waits for this.
    private Container begun(Container container) {
        if (container.phase() != Container.Phase.CREATED) {
            throw RuntimeFault.precondition("restore container " + container.id() + ": it was stopped");
        }
        return container.restoring();
    }

    /** Notes the process of a restore that was finished though nobody came to note it; false when there is none. */
    boolean takeUp(Container container) {
        Optional<FirstProcess> process = node.runtime(container.handler()).checkpoints()
                .flatMap(checkpoints -> checkpoints.restored(container.id()));
        process.ifPresent(found -> {
            furnishAgain(container);
            node.inventory().changeContainer(container.id(), old -> old.restored(ProcessIdentity.of(found)));
        });
        return process.isPresent();
    }

    /** Ends a restore that failed, with all that it has made; the files of the checkpoint too. */
    void end(Container container) {
        node.runtime(container.handler()).checkpoints().ifPresent(checkpoints -> checkpoints.abandon(container.id()));
        node.cgroups().kill(container.cgroup());
        removeFiles(container.id());
    }

    /** Removes the files of a checkpoint that are not needed any more. */
    public void removeFiles(String id) {
        DirectoryTree.remove(node.directories().restore(id));
    }

    /** Makes a container whose restore a daemon has begun that ended meanwhile run, or end. Others are left alone. */
    public void recover(Container container) {
        if (!container.awaitsRestore() || container.restore().filter(Container.Restore.WAITING::equals).isPresent()) {
            return;
        }
        if (takeUp(container)) {
            node.inventory().changeContainer(container.id(), old -> old.started(UnixTime.now()));
            removeFiles(container.id());
        } else {
            end(container);
            node.exits().recordFailedStart(container.id(), "restore container " + container.id()
                    + ": Berth ended while it was restored");
        }
    }
}
