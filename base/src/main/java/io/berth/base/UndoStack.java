package io.berth.base;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The undo of each step of an operation, pushed right after the step.
 *
 * <p>{@link #close()} runs all undos, last in first out, unless {@link #commit()} was called. Every undo runs even when
 * one before it failed; failures are logged, handed to the {@code onFailure} listener (which keeps them on record) and
 * never hide the failure that caused the roll-back. Not thread-safe: one operation owns it.
 */
public final class UndoStack implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(UndoStack.class);

    /** One step backwards; may fail. */
    @FunctionalInterface
    public interface Undo {
        void run() throws Exception;
    }

    /** Told of each undo that failed. */
    @FunctionalInterface
    public interface FailureListener {
        void failed(String step, Exception failure);
    }

    private record Step(String name, Undo undo) {}

    private final Deque<Step> steps = new ArrayDeque<>();
    private final String operation;
    private final FailureListener onFailure;
    private boolean committed;

    /** @param operation the verb whose steps are undone, for instance {@code RunPodSandbox} */
    public UndoStack(String operation) {
        this(operation, (step, failure) -> {});
    }

    public UndoStack(String operation, FailureListener onFailure) {
        this.operation = operation;
        this.onFailure = onFailure;
    }

    /** Adds the undo of the step that has just succeeded. */
    public void push(String name, Undo undo) {
        steps.push(new Step(name, undo));
    }

    /** The operation succeeded: nothing is undone any more. */
    public void commit() {
        committed = true;
        steps.clear();
    }

    @Override
    public void close() {
        if (committed) {
            return;
        }
        // An interrupted caller must not make the undos fail as well.
        boolean interrupted = Thread.interrupted();
        while (!steps.isEmpty()) {
            Step step = steps.pop();
            try {
                Failpoints.before(operation, "undo " + step.name);
                step.undo.run();
                Failpoints.after(operation, "undo " + step.name);
            } catch (Exception failure) {
                LOG.atWarn().addKeyValue("operation", operation).addKeyValue("step", step.name).setCause(failure).log("undo failed");
                onFailure.failed(step.name, failure);
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
