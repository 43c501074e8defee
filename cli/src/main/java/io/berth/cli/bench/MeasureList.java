package io.berth.cli.bench;

import io.berth.cri.v1.ContainerFilter;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.StatusRequest;
import java.util.List;

/** Lists as the kubelet asks for them every second, with many containers there. */
final class MeasureList implements Measurement {

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        contestants.forEach(pods -> ManyContainers.make(pods, settings.containers()));
        int rounds = settings.rounds() * 5;
        Measurement.inTurn(contestants, settings.warmUps() * 5, pods -> ask(pods, new Results(), settings));
        Measurement.inTurn(contestants, rounds, pods -> ask(pods, results, settings));
        contestants.forEach(BenchPods::removeAll);
    }

    private static void ask(BenchPods pods, Results results, BenchSettings settings) {
        var runtime = pods.contestant().connection().runtime();
        time(pods, results, "ListContainers of " + settings.containers(),
                () -> runtime.listContainers(ListContainersRequest.newBuilder().setFilter(
                        ContainerFilter.getDefaultInstance()).build()));
        time(pods, results, "ListPodSandbox", () -> runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()));
        time(pods, results, "Status", () -> runtime.status(StatusRequest.getDefaultInstance()));
    }

    private static void time(BenchPods pods, Results results, String what, Runnable call) {
        long from = System.nanoTime();
        call.run();
        results.addNanos(Kind.LIST, what, pods.contestant().name(), System.nanoTime() - from);
    }
}
