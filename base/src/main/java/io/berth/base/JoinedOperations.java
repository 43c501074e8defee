package io.berth.base;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;

/**
 * Makes an operation that its client may repeat happen once: a second caller of the same key joins the operation under
 * way, and when every caller has gone away before the result was there, the next one gets that result.
 *
 * <p>The operation runs on a virtual thread of its own, so the end of a caller's patience does not interrupt it. A failure
 * goes to the callers that wait and is not kept. Thread-safe.
 *
 * @param <R> what a caller asks for; only a caller with an equal request joins
 * @param <T> the result
 */
public final class JoinedOperations<R, T> {

    private static final class Running<R, T> {
        final R request;
        final CompletableFuture<T> result = new CompletableFuture<>();
        int waiting;

        Running(R request) {
            this.request = request;
        }
    }

    private final ConcurrentHashMap<String, Running<R, T>> running = new ConcurrentHashMap<>();
    private final String what;

    /** @param what the kind of operation, for messages, such as "create sandbox" */
    public JoinedOperations(String what) {
        this.what = what;
    }

    /**
     * Runs {@code work} for {@code key}, or joins it.
     *
     * @throws RuntimeFault ABORTED when an operation with another request runs under this key, else that of the work
     */
    public T join(String key, R request, Function<R, T> work) {
        boolean[] mine = new boolean[1];
        Running<R, T> operation = running.compute(key, (name, present) -> {
            mine[0] = present == null || present.result.isDone() && !present.request.equals(request);
            Running<R, T> found = mine[0] ? new Running<>(request) : present;
            found.waiting++;
            return found;
        });
        if (mine[0]) {
            Thread.ofVirtual().name(what).start(CallScope.carried(() -> run(key, operation, work)));
        } else if (!operation.request.equals(request)) {
            leave(key, operation);
            throw new RuntimeFault(RuntimeFault.Kind.ABORTED,
                    what + " " + key + ": another request for this name is being worked on: wait for it to end");
        }
        return await(key, operation);
    }

    private T await(String key, Running<R, T> operation) {
        try {
            T result = operation.result.get();
            running.remove(key, operation);
            return result;
        } catch (InterruptedException e) {
            leave(key, operation);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED,
                    what + " " + key + ": the caller has gone; the operation goes on and can be joined", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeFault fault) {
                throw fault;
            }
            throw RuntimeFault.during(what + " " + key, e.getCause());
        }
    }

    private void leave(String key, Running<R, T> operation) {
        running.computeIfPresent(key, (name, present) -> {
            operation.waiting--;
            return present;
        });
    }

    private void run(String key, Running<R, T> operation, Function<R, T> work) {
        try {
            T result = work.apply(operation.request);
            // With nobody waiting the entry stays, for the caller who comes back for it.
            running.computeIfPresent(key, (name, present) -> present == operation && operation.waiting > 0 ? null : present);
            operation.result.complete(result);
        } catch (Throwable failure) {
            running.remove(key, operation);
            operation.result.completeExceptionally(failure);
        }
    }

    /** Whether an operation of {@code key} is under way. */
    public boolean isRunning(String key) {
        Running<R, T> operation = running.get(key);
        return operation != null && !operation.result.isDone();
    }

    /** Drops a result that nobody has come back for. */
    public void forget(String key) {
        running.computeIfPresent(key, (name, present) -> present.result.isDone() ? null : present);
    }
}
