package io.berth.cli.bench;

import io.berth.cli.scratch.PodClient;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/** Fills contestants with containers that are created and not started: the cheapest ones that a daemon must know. */
final class ManyContainers {

    private static final int IN_A_POD = 50;
    // More would make the machine the bottleneck and calls time out.
    private static final int AT_ONCE = 4;

    private ManyContainers() {}

    /** Makes {@code count} containers in pods of at most {@value #IN_A_POD}; the pods. */
    static List<PodClient.Pod> make(BenchPods pods, int count) {
        List<PodClient.Pod> made = IntStream.range(0, (count + IN_A_POD - 1) / IN_A_POD)
                .mapToObj(number -> pods.runSandbox(pods.next())).toList();
        Queue<Integer> numbers = new ConcurrentLinkedQueue<>(IntStream.range(0, count).boxed().toList());
        Parallel.each(IntStream.range(0, AT_ONCE).boxed().toList(), worker -> {
            for (Integer number = numbers.poll(); number != null; number = numbers.poll()) {
                pods.create(made.get(number / IN_A_POD), "c" + number);
            }
        });
        return made;
    }
}
