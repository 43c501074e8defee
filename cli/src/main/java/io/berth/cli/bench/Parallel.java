package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Work on many things at the same time, a virtual thread each. */
final class Parallel {

    private Parallel() {}

    /** Does {@code work} on each and waits for all; throws what failed first, after all have ended. */
    static <T> void each(Collection<T> things, Consumer<T> work) {
        List<Future<?>> running = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            things.forEach(thing -> running.add(threads.submit(() -> work.accept(thing))));
        }
        for (Future<?> each : running) {
            try {
                each.get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException failure ? failure
                        : RuntimeFault.during("bench", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw RuntimeFault.during("bench", e);
            }
        }
    }
}
