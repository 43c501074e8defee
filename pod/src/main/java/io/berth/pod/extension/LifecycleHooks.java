package io.berth.pod.extension;

import io.berth.cri.v1.LinuxContainerResources;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import tools.jackson.databind.node.ObjectNode;

/**
 * Is told of each step in the lives of sandboxes and containers. What may refuse a step says so with a
 * {@link io.berth.base.RuntimeFault}, and the verb is undone; what is told of something that has happened must not throw.
 * Thread-safe. Methods are called on the verb's thread and may wait, within a limit of their own.
 */
public interface LifecycleHooks {

    /** Nobody takes part. */
    LifecycleHooks NONE = new NoHooks();

    /** What becomes of a container by {@link #containerCreating}, beside its specification. */
    record Adjusted(LinuxContainerResources resources, String cgroup) {}

    /** Everything of the sandbox is there, and it is about to be shown. May refuse. */
    void sandboxRunning(Sandbox sandbox);

    /** The sandbox is on record as ready. */
    void sandboxReady(Sandbox sandbox);

    /** The sandbox, of which {@link #sandboxRunning} was told, will not come to be. */
    void sandboxUndone(Sandbox sandbox);

    /** A sandbox is about to get new resources. May refuse. */
    void sandboxUpdating(Sandbox sandbox, LinuxContainerResources overhead, LinuxContainerResources resources);

    void sandboxUpdated(Sandbox sandbox);

    /** Its containers have ended; its network and namespaces are there still. */
    void sandboxStopping(Sandbox sandbox);

    /** Its containers are removed, and it is about to be. */
    void sandboxRemoving(Sandbox sandbox);

    /**
     * The specification is written and may be changed in place. May refuse.
     *
     * @param spec the whole {@code config.json}
     */
    Adjusted containerCreating(Sandbox sandbox, Container container, ObjectNode spec);

    /** The container is on record as created. */
    void containerCreated(Container container);

    /** The container, of which {@link #containerCreating} was told, will not come to be. */
    void containerUndone(Container container);

    /** May refuse. */
    void containerStarting(Container container);

    void containerStarted(Container container);

    /** What the container shall get instead of {@code wanted}, where 0 and empty mean no change. May refuse. */
    LinuxContainerResources containerUpdating(Container container, LinuxContainerResources wanted);

    void containerUpdated(Container container);

    /** It has ended, by itself or not. May be told more than once. */
    void containerStopped(Container container);

    /** It has ended and is about to be removed. */
    void containerRemoving(Container container);
}
