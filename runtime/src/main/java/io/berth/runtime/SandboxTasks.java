package io.berth.runtime;

import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/**
 * The container of a pod that comes before its own: it does nothing, but with it a shim starts, and behind some shims a
 * virtual machine. Its bundle is named by the sandbox's id. Thread-safe.
 */
public interface SandboxTasks {

    /**
     * Makes the bundle and the container, and starts it. What is left after a failure, {@link #remove} removes.
     *
     * @param spec its {@code config.json}; the program is this method's to say
     */
    void run(String sandboxId, ObjectNode spec);

    /** Takes up the watch over what an earlier Berth has started. */
    void adopt(String sandboxId);

    /** Ends it; the bundle stays. Idempotent. */
    void stop(String sandboxId);

    /** Ends it and removes all of it. Idempotent. */
    void remove(String sandboxId);

    /** Sets who is told the id of a sandbox whose container has ended by itself: the pod cannot be used any more. */
    void onEnd(Consumer<String> told);
}
