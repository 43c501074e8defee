package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A bounded pool for work that blocks in the kernel: a downcall that waits would occupy the carrier of the virtual thread
 * that makes it, and a few of them would stop every request. Thread-safe; threads end after a short idle time.
 */
public final class PlatformThreads {

    private static final int LIMIT = 128;
    private static final ThreadPoolExecutor POOL = pool();

    private PlatformThreads() {}

    private static ThreadPoolExecutor pool() {
        var pool = new ThreadPoolExecutor(LIMIT, LIMIT, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name("blocking-", 0).stackSize(256 * 1024).daemon().factory());
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** The pool itself, for work that nobody waits for. Never shut down. */
    public static ExecutorService executor() {
        return POOL;
    }

    /** Runs {@code work} on the pool while the calling thread waits (cheaply, when it is virtual). */
    public static <T> T call(Callable<T> work) {
        if (!Thread.currentThread().isVirtual()) {
            return direct(work);
        }
        Future<T> running = POOL.submit(work);
        try {
            return running.get();
        } catch (InterruptedException e) {
            running.cancel(true);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait for a system call: interrupted", e);
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        }
    }

    private static <T> T direct(Callable<T> work) {
        try {
            return work.call();
        } catch (Exception e) {
            throw rethrown(e);
        }
    }

    private static RuntimeException rethrown(Throwable failure) {
        return switch (failure) {
            case RuntimeException runtime -> runtime;
            case Error error -> throw error;
            default -> RuntimeFault.internal(RuntimeFault.reason(failure), failure);
        };
    }
}
