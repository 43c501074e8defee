package io.berth.cli.bench;

import io.berth.cli.bench.PodRun.Call;
import java.util.List;

/** A pod of one container from nothing to nothing, with the calls in the kubelet's order. */
final class MeasurePods implements Measurement {

    static final String RUNNING = "pod to running";
    static final String GONE = "stop and remove";

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        contestants.forEach(pods -> {
            PodRun first = PodRun.of(pods);
            results.addNanos(Kind.PODS, "first pod to running", pods.contestant().name(), first.toRunningNanos());
        });
        Measurement.inTurn(contestants, settings.warmUps(), settings.pause(), PodRun::of);
        Measurement.inTurn(contestants, settings.rounds(), settings.pause(), pods -> {
            PodRun run = PodRun.of(pods);
            String name = pods.contestant().name();
            for (Call call : run.calls()) {
                results.addNanos(Kind.PODS, call.name(), name, call.nanos());
            }
            results.addNanos(Kind.PODS, RUNNING, name, run.toRunningNanos());
            results.addNanos(Kind.PODS, GONE, name, run.toGoneNanos());
        });
    }
}
