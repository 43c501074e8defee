package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Calls one extension so that nothing of it reaches Berth: each call has a platform thread of its own, since one that loops
 * would hold up others on a shared one, and a limit. Whatever is thrown there, errors included, becomes a
 * {@link RuntimeFault} with a text that was made on that thread: an exception of an extension is code of it, too.
 * Thread-safe.
 */
final class Guard {

    /** Calls that hang, after which no further one is begun. */
    private static final int HANGING_LIMIT = 4;

    /** What is to be done when work ends that was given up. */
    @FunctionalInterface
    interface Late {
        void ended() throws Exception;
    }

    private final String name;
    private final Duration limit;
    private final AtomicInteger hanging = new AtomicInteger();
    private final AtomicLong failures = new AtomicLong();
    private volatile Optional<String> lastFailure = Optional.empty();
    private volatile ClassLoader loader = Guard.class.getClassLoader();

    Guard(String name, Duration limit) {
        this.name = name;
        this.limit = limit;
    }

    /** Whose classes its threads find by the context loader. */
    void use(ClassLoader own) {
        loader = own;
    }

    long failures() {
        return failures.get();
    }

    Optional<String> lastFailure() {
        return lastFailure;
    }

    boolean isHanging() {
        return hanging.get() > 0;
    }

    /** Notes what went wrong outside of a call. */
    void failed(String reason) {
        failures.incrementAndGet();
        lastFailure = Optional.of(reason);
    }

    /**
     * The result of {@code work}, which must hold nothing of the extension's own.
     *
     * @param what names the call in messages
     * @throws RuntimeFault UNAVAILABLE when it fails, DEADLINE_EXCEEDED when it takes too long or earlier calls hang
     */
    <T> T call(String what, Callable<T> work) {
        return call(what, work, () -> { });
    }

    /**
     * As the other, for work that leaves something behind.
     *
     * @param late run where the work was given up and has ended all the same, on the extension's thread
     */
    <T> T call(String what, Callable<T> work, Late late) {
        if (hanging.get() >= HANGING_LIMIT) {
            throw fault(RuntimeFault.Kind.DEADLINE_EXCEEDED, what, HANGING_LIMIT
                    + " earlier calls hang: restart Berth without it or with a better one");
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        AtomicBoolean decided = new AtomicBoolean();
        Thread thread = Thread.ofPlatform().daemon().name("extension " + name).unstarted(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable failure) {
                result.completeExceptionally(new IllegalStateException(describe(failure)));
            } finally {
                if (!decided.compareAndSet(false, true)) {
                    undo(what, late);
                    hanging.decrementAndGet();
                }
            }
        });
        thread.setContextClassLoader(loader);
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            throw fault(RuntimeFault.Kind.UNAVAILABLE, what, "there is no thread for it: " + noThread.getMessage());
        }
        try {
            return result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException tooLong) {
            abandon(thread, decided);
            throw fault(RuntimeFault.Kind.DEADLINE_EXCEEDED, what, "it has not answered within " + limit.toMillis() + " ms");
        } catch (ExecutionException failure) {
            throw fault(RuntimeFault.Kind.UNAVAILABLE, what, failure.getCause().getMessage());
        } catch (InterruptedException e) {
            abandon(thread, decided);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, what + ": interrupted", e);
        }
    }

    private void undo(String what, Late late) {
        try {
            late.ended();
        } catch (Throwable failure) {
            failed(what + ", which ended late, cannot be taken back: " + describe(failure));
        }
    }

    private void abandon(Thread thread, AtomicBoolean decided) {
        hanging.incrementAndGet();
        if (!decided.compareAndSet(false, true)) {
            hanging.decrementAndGet();
        }
        thread.interrupt();
    }

    // Its own toString may fail as well.
    private static String describe(Throwable failure) {
        try {
            String text = String.valueOf(failure instanceof InvocationTargetException thrown && thrown.getCause() != null
                    ? thrown.getCause() : failure);
            // One line of the log each.
            return (text.length() > 500 ? text.substring(0, 500) : text).replaceAll("\\p{Cntrl}", " ");
        } catch (Throwable again) {
            return failure.getClass().getName();
        }
    }

    private RuntimeFault fault(RuntimeFault.Kind kind, String what, String reason) {
        failed(what + ": " + reason);
        return new RuntimeFault(kind, "ask extension " + name + " to " + what + ": " + reason);
    }
}
