package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A bounded pool for work that blocks in the kernel: a downcall that waits would occupy the carrier of the virtual thread
 * that makes it, and a few of them would stop every request. Thread-safe; threads end after a short idle time.
 */
public final class PlatformThreads {

    private static final int LIMIT = 128;
    private static final ThreadPoolExecutor POOL = pool();
    /** More programs than this hang at once only on a node that is lost anyway. */
    private static final int WAITING_LIMIT = 2048;
    private static final ThreadPoolExecutor WAITING = new ThreadPoolExecutor(0, WAITING_LIMIT, 5, TimeUnit.SECONDS,
            new SynchronousQueue<>(), threads("waiting-"));

    private PlatformThreads() {}

    private static ThreadPoolExecutor pool() {
        var pool = new ThreadPoolExecutor(LIMIT, LIMIT, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                threads("blocking-"));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static ThreadFactory threads(String name) {
        return Thread.ofPlatform().name(name, 0).stackSize(256 * 1024).daemon().factory();
    }

    /** The pool itself, for work that nobody waits for. Never shut down. */
    public static ExecutorService executor() {
        return POOL;
    }

    /** Runs {@code work} on the pool while the calling thread waits (cheaply, when it is virtual). */
    public static <T> T call(Callable<T> work) {
        return on(POOL, work);
    }

    /**
     * As {@link #call}, for work that waits for another program, perhaps for long. It has threads of its own: as many
     * runtimes or plugins as may hang, system calls of other pods still find a thread.
     *
     * @throws RuntimeFault RESOURCE_EXHAUSTED when {@value #WAITING_LIMIT} programs are waited for
     */
    public static <T> T await(Callable<T> work) {
        return on(WAITING, work);
    }

    private static <T> T on(ThreadPoolExecutor pool, Callable<T> work) {
        if (!Thread.currentThread().isVirtual()) {
            return direct(work);
        }
        Future<T> running;
        try {
            running = pool.submit(work);
        } catch (RejectedExecutionException e) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "wait for a program: " + WAITING_LIMIT
                    + " are waited for already: do the runtime or the network plugins hang?", e);
        }
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
