package io.berth.cli.bench;

import io.berth.api.v1.TimelineStep;
import io.berth.base.UnixTime;
import io.berth.cli.scratch.PodClient;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What one pod's life took, as its client sees it.
 *
 * @param startedAtNanos when the first call began, since the Unix epoch
 * @param calls in their order
 * @param steps what the runtime tells of the same pod, until its removal; empty where it tells nothing
 */
record PodRun(long startedAtNanos, List<Call> calls, List<TimelineStep> steps) {

    /** A call: its beginning after the first one's, and how long it took. */
    record Call(String name, long afterNanos, long nanos) {}

    private static final class Clock {

        private final long from = System.nanoTime();
        private final List<Call> calls = new ArrayList<>();

        <T> T time(String name, Supplier<T> call) {
            long begin = System.nanoTime();
            T result = call.get();
            calls.add(new Call(name, begin - from, System.nanoTime() - begin));
            return result;
        }

        void run(String name, Runnable call) {
            time(name, () -> {
                call.run();
                return null;
            });
        }
    }

    /** Runs a pod, executes a command in it and takes it away. */
    static PodRun of(BenchPods pods) {
        var config = pods.next();
        long at = UnixTime.now();
        Clock clock = new Clock();
        PodClient.Pod pod = clock.time("RunPodSandbox", () -> pods.runSandbox(config));
        String container = clock.time("CreateContainer", () -> pods.create(pod, "main"));
        clock.run("StartContainer", () -> pods.start(container));
        clock.run("ExecSync true", () -> pods.exec(container));
        clock.run("StopContainer", () -> pods.stopContainer(container));
        // The runtime forgets a container's steps with the container.
        List<TimelineStep> steps = pods.contestant().timeline(pod.id());
        clock.run("RemoveContainer", () -> pods.removeContainer(container));
        clock.run("StopPodSandbox", () -> pods.stop(pod));
        clock.run("RemovePodSandbox", () -> pods.remove(pod));
        return new PodRun(at, List.copyOf(clock.calls), steps);
    }

    /** From the first call to the container's start. */
    long toRunningNanos() {
        return sum(calls.subList(0, 3));
    }

    /** From the stop to the removal of the pod. */
    long toGoneNanos() {
        return sum(calls.subList(4, calls.size()));
    }

    private static long sum(List<Call> calls) {
        return calls.stream().mapToLong(Call::nanos).sum();
    }
}
