package io.berth.cli.bench;

import io.berth.cli.scratch.PodClient;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code ExecSync} of {@code true} in a container that runs, five times as often as there are rounds. */
final class MeasureExec implements Measurement {

    private static final int OFTEN = 5;

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        Map<BenchPods, String> containers = new HashMap<>();
        Map<BenchPods, PodClient.Pod> sandboxes = new HashMap<>();
        contestants.forEach(pods -> {
            PodClient.Pod pod = pods.runSandbox(pods.next());
            String container = pods.create(pod, "main");
            pods.start(container);
            sandboxes.put(pods, pod);
            containers.put(pods, container);
        });
        Measurement.inTurn(contestants, settings.warmUps() * OFTEN, pods -> pods.exec(containers.get(pods)));
        Measurement.inTurn(contestants, settings.rounds() * OFTEN, pods -> {
            long from = System.nanoTime();
            pods.exec(containers.get(pods));
            results.addNanos(Kind.EXEC, "ExecSync true", pods.contestant().name(), System.nanoTime() - from);
        });
        sandboxes.forEach(BenchPods::end);
    }
}
