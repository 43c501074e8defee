package io.berth.runtime;

import io.berth.runtime.ContainerRuntime.FirstProcess;
import io.berth.runtime.ContainerRuntime.NewContainer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Writes running containers of one handler to files, and makes containers from them. Thread-safe; every call is bounded in
 * time. Source: criu(8).
 */
public interface Checkpoints {

    /** Stops all processes of the container where they are, until {@link #thaw}. */
    void freeze(String id);

    /** Lets them go on; an error when they are not frozen. */
    void thaw(String id);

    /**
     * Has CRIU write the container's processes and memory into {@code images}, and its log {@code dump.log} into
     * {@code work}. The container is as frozen afterwards as before.
     */
    void write(String id, Path images, Path work, Duration limit);

    /** Whether the handler's program was built to restore containers at all. */
    boolean canRestore();

    /**
     * Makes the container and lets it go on where the checkpoint left it. When it fails, {@link #abandon} removes what it
     * left.
     *
     * @param images what {@link #write} wrote, or one of the peers
     */
    FirstProcess restore(NewContainer container, Path images);

    /** The first process of a container whose restore was finished, though nobody came to note that. */
    Optional<FirstProcess> restored(String id);

    /** Ends a restore wherever it is, with all that it has made. Idempotent. */
    void abandon(String id);
}
