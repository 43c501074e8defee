package io.berth.pod.extension;

import io.berth.cri.v1.LinuxContainerResources;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import tools.jackson.databind.node.ObjectNode;

/** Hooks of nobody. */
final class NoHooks implements LifecycleHooks {

    @Override
    public void sandboxRunning(Sandbox sandbox) {}

    @Override
    public void sandboxReady(Sandbox sandbox) {}

    @Override
    public void sandboxUndone(Sandbox sandbox) {}

    @Override
    public void sandboxUpdating(Sandbox sandbox, LinuxContainerResources overhead, LinuxContainerResources resources) {}

    @Override
    public void sandboxUpdated(Sandbox sandbox) {}

    @Override
    public void sandboxStopping(Sandbox sandbox) {}

    @Override
    public void sandboxRemoving(Sandbox sandbox) {}

    @Override
    public Adjusted containerCreating(Sandbox sandbox, Container container, ObjectNode spec) {
        return new Adjusted(container.resources(), container.cgroup());
    }

    @Override
    public void containerCreated(Container container) {}

    @Override
    public void containerUndone(Container container) {}

    @Override
    public void containerStarting(Container container) {}

    @Override
    public void containerStarted(Container container) {}

    @Override
    public LinuxContainerResources containerUpdating(Container container, LinuxContainerResources wanted) {
        return wanted;
    }

    @Override
    public void containerUpdated(Container container) {}

    @Override
    public void containerStopped(Container container) {}

    @Override
    public void containerRemoving(Container container) {}
}
