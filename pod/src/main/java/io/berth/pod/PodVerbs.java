package io.berth.pod;

import io.berth.pod.container.CheckpointContainer;
import io.berth.pod.container.CreateContainer;
import io.berth.pod.container.ExecSync;
import io.berth.pod.container.RemoveContainer;
import io.berth.pod.container.ReopenContainerLog;
import io.berth.pod.container.StartContainer;
import io.berth.pod.container.StopContainer;
import io.berth.pod.container.UpdateContainerResources;
import io.berth.pod.sandbox.RemovePodSandbox;
import io.berth.pod.sandbox.RunPodSandbox;
import io.berth.pod.sandbox.SandboxPool;
import io.berth.pod.sandbox.StopPodSandbox;
import io.berth.pod.sandbox.UpdatePodSandboxResources;

/** The verbs of sandboxes and containers on one node: what the edge calls. */
public record PodVerbs(RunPodSandbox runSandbox, StopPodSandbox stopSandbox, RemovePodSandbox removeSandbox,
        CreateContainer createContainer, StartContainer startContainer, StopContainer stopContainer,
        RemoveContainer removeContainer, ReopenContainerLog reopenLog, ExecSync execSync,
        UpdateContainerResources updateContainer, UpdatePodSandboxResources updateSandbox,
        CheckpointContainer checkpointContainer, Recover recover, Reconcile reconcile, SandboxPool pool) {

    /** Wires them for {@code node}. */
    public static PodVerbs of(Node node) {
        StopContainer stop = new StopContainer(node);
        StopPodSandbox stopSandbox = new StopPodSandbox(node, stop);
        RemoveContainer remove = new RemoveContainer(node, stop);
        RemovePodSandbox removeSandbox = new RemovePodSandbox(node, stopSandbox, remove);
        SandboxPool pool = new SandboxPool(node, node.settings().sandboxPool());
        RunPodSandbox runSandbox = new RunPodSandbox(node, removeSandbox, pool);
        CreateContainer create = new CreateContainer(node, remove);
        // A pod whose own container has ended cannot be used any more; the kubelet makes a new one when it sees that.
        node.runtimes().values().forEach(runtime -> runtime.sandboxes().ifPresent(tasks -> tasks.onEnd(stopSandbox::stop)));
        Reconcile reconcile = new Reconcile(node, runSandbox, stopSandbox, removeSandbox, create, remove, pool);
        return new PodVerbs(runSandbox, stopSandbox, removeSandbox, create,
                new StartContainer(node), stop, remove, new ReopenContainerLog(node), new ExecSync(node),
                new UpdateContainerResources(node), new UpdatePodSandboxResources(node), new CheckpointContainer(node),
                new Recover(node, stopSandbox, removeSandbox, remove, reconcile, pool), reconcile, pool);
    }
}
