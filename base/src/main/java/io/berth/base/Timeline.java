package io.berth.base;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import jdk.jfr.FlightRecorder;

/**
 * What was done for a sandbox or container, step by step, with the time that each took: the answer to "why is this pod
 * slow". Kept in memory for each subject, the newest {@value #STEPS_KEPT} steps, until {@link #forget}. Thread-safe.
 */
public final class Timeline {

    /** Steps kept for each subject. */
    public static final int STEPS_KEPT = 200;

    /**
     * One finished step.
     *
     * @param operation the verb, for instance {@code RunPodSandbox}
     * @param subject the sandbox's or container's id; empty for steps that are not kept
     * @param step what was done in it, for instance {@code network}
     * @param nanos the time that it took
     * @param error the reason when it failed, else empty
     */
    public record Step(String subject, String operation, String step, Instant startedAt, long nanos, String error) {}

    /** Work that may throw. */
    @FunctionalInterface
    public interface Work<T, E extends Exception> {
        T run() throws E;
    }

    /** Work without a result that may throw. */
    @FunctionalInterface
    public interface Action<E extends Exception> {
        void run() throws E;
    }

    /** Measures the steps of one operation on one subject. A step's name also tells tests where they may break it. */
    public static final class Operation {
        private final Consumer<Step> recorder;
        private final String subject;
        private final String name;

        private Operation(Consumer<Step> recorder, String subject, String name) {
            this.recorder = recorder;
            this.subject = subject;
            this.name = name;
        }

        /** Runs {@code work} as the step {@code step} and records its time, also when it fails. */
        public <T, E extends Exception> T step(String step, Work<T, E> work) throws E {
            Optional<StepEvent> event = FlightRecorder.isInitialized() ? Optional.of(StepEvent.begun())
                    : Optional.empty();
            Instant at = Instant.now();
            long from = System.nanoTime();
            String error = "";
            try {
                Failpoints.before(name, step);
                T result = work.run();
                Failpoints.after(name, step);
                return result;
            } catch (Exception failure) {
                error = RuntimeFault.reason(failure);
                throw failure;
            } finally {
                Step taken = new Step(subject, name, step, at, System.nanoTime() - from, error);
                recorder.accept(taken);
                CallScope.tell(taken);
                event.ifPresent(recorded -> recorded.taken(taken));
            }
        }

        /** As {@link #step}, for a result that its caller has to close: it is closed when the step fails after its work. */
        public <T extends AutoCloseable, E extends Exception> T open(String step, Work<T, E> work) throws E {
            List<T> opened = new ArrayList<>(1);
            try {
                return step(step, () -> {
                    opened.add(work.run());
                    return opened.getFirst();
                });
            } catch (Exception failure) {
                for (T each : opened) {
                    try {
                        each.close();
                    } catch (Exception secondary) {
                        failure.addSuppressed(secondary);
                    }
                }
                throw failure;
            }
        }

        /** As {@link #step}, for work without a result. */
        public <E extends Exception> void run(String step, Action<E> action) throws E {
            this.<Void, E>step(step, () -> {
                action.run();
                return null;
            });
        }
    }

    private final ConcurrentHashMap<String, List<Step>> bySubject = new ConcurrentHashMap<>();
    private final Consumer<Step> listener;

    public Timeline() {
        this(step -> {});
    }

    /** @param listener told of each step on the thread that did it: metrics, traces */
    public Timeline(Consumer<Step> listener) {
        this.listener = listener;
    }

    /** Begins to measure {@code name} on {@code subject}. */
    public Operation operation(String subject, String name) {
        return new Operation(this::record, subject, name);
    }

    /** An operation whose steps have names but are not kept: one that comes too often, or belongs to no subject. */
    public static Operation unrecorded(String name) {
        return new Operation(step -> {}, "", name);
    }

    private void record(Step step) {
        bySubject.compute(step.subject, (id, old) -> {
            List<Step> steps = old == null ? new ArrayList<>(8) : old;
            if (steps.size() == STEPS_KEPT) {
                steps.removeFirst();
            }
            steps.add(step);
            return steps;
        });
        listener.accept(step);
    }

    /** The steps of {@code subject}, oldest first. */
    public List<Step> of(String subject) {
        List<Step> found = new ArrayList<>();
        bySubject.computeIfPresent(subject, (id, steps) -> {
            found.addAll(steps);
            return steps;
        });
        return found;
    }

    /** Drops what is known of subjects that {@code exists} does not know: steps that ended after {@link #forget}. */
    public void forgetUnless(Predicate<String> exists) {
        bySubject.keySet().removeIf(subject -> !exists.test(subject));
    }

    /** Drops what is known of {@code subject}. */
    public void forget(String subject) {
        bySubject.remove(subject);
    }
}
