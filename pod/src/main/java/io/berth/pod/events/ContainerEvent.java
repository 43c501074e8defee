package io.berth.pod.events;

import io.berth.cri.v1.ContainerEventType;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.util.List;
import java.util.Optional;

/**
 * A change in the life of a container or, where the id is the sandbox's, of a sandbox.
 *
 * @param atNanos since the epoch
 * @param sandbox as it was right after the change, or before its removal
 * @param containers those of the sandbox right after the change
 */
public record ContainerEvent(String id, ContainerEventType type, long atNanos, Optional<Sandbox> sandbox,
        List<Container> containers) {}
