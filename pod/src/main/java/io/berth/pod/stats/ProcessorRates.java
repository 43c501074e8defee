package io.berth.pod.stats;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Processor time a second, out of counters that only grow. A rate is taken between two questions that are at least
 * {@link #SHORTEST} apart; a question that comes sooner, perhaps of another client, gets the rate of the last one. The first
 * question gets the average since the start. So nothing has to be sampled while nobody asks, and the kubelet, which asks
 * every ten seconds or so, gets the rate of just that time. Thread-safe.
 */
public final class ProcessorRates {

    /** Below this the counters' grain and the time that reading takes would show. */
    static final Duration SHORTEST = Duration.ofSeconds(1);

    private record Sample(long atNanos, long processorNanos, OptionalLong rate) {}

    private final ConcurrentHashMap<String, Sample> samples = new ConcurrentHashMap<>();
    private final LongSupplier clock;

    public ProcessorRates() {
        this(System::nanoTime);
    }

    /** @param clock nanoseconds that never go back */
    ProcessorRates(LongSupplier clock) {
        this.clock = clock;
    }

    /**
     * Takes a reading in and gives the rate, in nanoseconds of processor time a second.
     *
     * @param processorNanos the counter now
     * @param age how long it has been counting; zero or less for unknown
     */
    public OptionalLong observe(String id, long processorNanos, Duration age) {
        long now = clock.getAsLong();
        return samples.compute(id, (key, last) -> {
            if (last == null) {
                return new Sample(now, processorNanos, rate(processorNanos, age.toNanos()));
            }
            long elapsed = now - last.atNanos;
            return elapsed < SHORTEST.toNanos() ? last
                    : new Sample(now, processorNanos, rate(processorNanos - last.processorNanos, elapsed));
        }).rate;
    }

    // A counter that went back belongs to a group that was made anew.
    private static OptionalLong rate(long processorNanos, long elapsedNanos) {
        return elapsedNanos <= 0 ? OptionalLong.empty()
                : OptionalLong.of(Math.max(0, Math.round(processorNanos * 1e9 / elapsedNanos)));
    }

    /** How many are remembered. */
    int size() {
        return samples.size();
    }

    /** Forgets those that are gone. */
    public void forget(Predicate<String> gone) {
        samples.keySet().removeIf(gone);
    }
}
