package io.berth.image;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** Repeats a request that failed for a passing reason, with longer and longer waits. */
final class Retry {

    private Retry() {}

    static <T> T on(PullOptions options, PullListener listener, String what, Supplier<T> request) {
        Duration backoff = options.firstBackoff();
        for (int attempt = 1;; attempt++) {
            try {
                return request.get();
            } catch (RegistryFault fault) {
                if (!fault.isPassing() || attempt >= fault.attempts(options.attempts())) {
                    throw fault;
                }
                listener.retry(what, fault.getMessage());
                pause(options, fault, backoff);
                backoff = backoff.multipliedBy(2);
            }
        }
    }

    /** Waits as long as the registry asks for, else about {@code backoff}; never longer than the options allow. */
    static void pause(PullOptions options, RegistryFault fault, Duration backoff) {
        Duration wanted = fault.retryAfter().orElse(backoff);
        Duration most = wanted.compareTo(options.longestBackoff()) > 0 ? options.longestBackoff() : wanted;
        long millis = Math.max(1, most.toMillis());
        try {
            // Spread, because a node's pulls fail together and would come back together.
            Thread.sleep(millis + ThreadLocalRandom.current().nextLong(millis / 4 + 1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait to retry: cancelled", e);
        }
    }
}
