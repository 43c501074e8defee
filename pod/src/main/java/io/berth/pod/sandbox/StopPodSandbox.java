package io.berth.pod.sandbox;

import io.berth.base.CallScope;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.cri.v1.ContainerEventType;
import io.berth.pod.Node;
import io.berth.pod.container.StopContainer;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;

/**
 * Ends a sandbox's containers and gives its network and namespaces back. Idempotent: an unknown or stopped sandbox is
 * fine; what failed before is tried again.
 */
public final class StopPodSandbox {

    private final Node node;
    private final StopContainer stopContainer;
    private final SandboxNamespaces namespaces;
    private final SandboxFiles files;
    private final SandboxNetwork network;
    private final SandboxTask task;

    public StopPodSandbox(Node node, StopContainer stopContainer) {
        this.node = node;
        this.stopContainer = stopContainer;
        this.namespaces = new SandboxNamespaces(node);
        this.files = new SandboxFiles(node);
        this.network = new SandboxNetwork(node);
        this.task = new SandboxTask(node);
    }

    public void stop(String idOrPrefix) {
        Optional<Sandbox> found = node.inventory().findSandbox(idOrPrefix).filter(one -> one.phase() != Sandbox.Phase.PREPARED);
        if (found.isEmpty()) {
            return;
        }
        String id = found.get().id();
        try (var held = node.verbs().lockInterruptibly(id)) {
            Optional<Sandbox> current = node.inventory().findSandbox(id);
            if (current.isPresent() && !current.get().hasStopped()) {
                stopHeld(id);
            }
        }
    }

    private void stopHeld(String id) {
        Timeline.Operation timeline = node.timeline().operation(id, "StopPodSandbox");
        timeline.run("stopping", () -> become(id, Sandbox.Phase.STOPPING));
        timeline.run("containers", () -> killContainers(id));
        Sandbox sandbox = node.inventory().sandbox(id);
        timeline.run("plugins", () -> node.hooks().sandboxStopping(sandbox));
        if (task.isNeeded(sandbox)) {
            // Before the network: a virtual machine holds a device in it.
            timeline.run("sandbox task", () -> task.stop(sandbox));
        }
        timeline.run("network", () -> network.detach(sandbox));
        timeline.run("namespaces", () -> namespaces.remove(sandbox));
        timeline.run("shm", () -> files.unmount(id));
        timeline.run("stopped", () -> become(id, Sandbox.Phase.STOPPED));
        node.events().sandbox(ContainerEventType.CONTAINER_STOPPED_EVENT, id);
    }

    // One that never was whole stays an intent: if this is cut, the next start takes it away and shows it to nobody.
    private void become(String id, Sandbox.Phase phase) {
        node.inventory().changeSandbox(id, old -> old.phase() == Sandbox.Phase.CREATING ? old : old.with(phase));
    }

    private void killContainers(String id) {
        List<Container> live = node.inventory().containersOf(id).stream().filter(Container::isLive).toList();
        if (live.size() == 1) {
            stopContainer.stop(live.getFirst().id(), Duration.ZERO);
            return;
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<Void>> stops = live.stream().map(container -> CompletableFuture.runAsync(
                    CallScope.carried(() -> stopContainer.stop(container.id(), Duration.ZERO)), threads)).toList();
            CompletableFuture.allOf(stops.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            throw RuntimeFault.during("stop sandbox " + id, e.getCause());
        }
    }
}
