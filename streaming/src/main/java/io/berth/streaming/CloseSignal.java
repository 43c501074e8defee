package io.berth.streaming;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The actions to run when a client vanishes: each once, none after the call that they belong to. Thread-safe. */
final class CloseSignal {

    private static final Logger LOG = LoggerFactory.getLogger(CloseSignal.class);

    private enum State {
        WAITING,
        FIRED,
        CANCELLED
    }

    private final Executor executor;
    private final List<Runnable> actions = new ArrayList<>();
    private State state = State.WAITING;

    CloseSignal(Executor executor) {
        this.executor = executor;
    }

    void onClose(Runnable action) {
        synchronized (this) {
            if (state == State.WAITING) {
                actions.add(action);
            }
            if (state != State.FIRED) {
                return;
            }
        }
        run(action);
    }

    /** The client is gone. */
    void fire() {
        List<Runnable> due;
        synchronized (this) {
            if (state != State.WAITING) {
                return;
            }
            state = State.FIRED;
            due = List.copyOf(actions);
            actions.clear();
        }
        due.forEach(this::run);
    }

    /** The call has returned: nobody waits for the signal any more. */
    synchronized void cancel() {
        state = State.CANCELLED;
        actions.clear();
    }

    private void run(Runnable action) {
        Runnable guarded = () -> {
            try {
                action.run();
            } catch (RuntimeException failure) {
                LOG.atWarn().setCause(failure).log("action after the client vanished failed");
            }
        };
        try {
            executor.execute(guarded);
        } catch (RejectedExecutionException shutDown) {
            // Releasing what the client held matters more than the thread it happens on.
            guarded.run();
        }
    }
}
