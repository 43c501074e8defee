package io.berth.extension;

import java.time.Instant;
import java.util.Optional;

/**
 * A change in the life of a pod or, where there is one, of a container in it.
 *
 * @param pod as it was right after the change, or before its removal
 * @param container as it was right after the change; empty for a change of the pod itself, and for a container that is
 *     removed, whose id is in {@link #id}
 */
public record LifecycleEvent(Kind kind, String id, Instant at, Pod pod, Optional<Container> container) {

    /** What has happened. */
    public enum Kind {
        CREATED,
        STARTED,
        STOPPED,
        REMOVED
    }

    /** Whether the pod itself is meant. */
    public boolean isOfPod() {
        return id.equals(pod.id());
    }
}
