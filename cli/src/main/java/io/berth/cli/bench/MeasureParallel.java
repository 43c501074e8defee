package io.berth.cli.bench;

import io.berth.cli.bench.Results.Row;
import io.berth.cli.scratch.PodClient;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;

/** Several pods at once: how many a second come to run, and how many go. */
final class MeasureParallel implements Measurement {

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        int pods = settings.atOnce();
        Measurement.inTurn(contestants, 1, each -> measure(each, pods, new Results()));
        Measurement.inTurn(contestants, Math.max(2, settings.rounds() / 4), each -> measure(each, pods, results));
    }

    private static void measure(BenchPods pods, int count, Results results) {
        Queue<PodClient.Pod> running = new ConcurrentLinkedQueue<>();
        long from = System.nanoTime();
        Parallel.each(IntStream.range(0, count).boxed().toList(), number -> running.add(pods.run()));
        long started = System.nanoTime();
        Parallel.each(running, pods::end);
        long ended = System.nanoTime();
        String name = pods.contestant().name();
        results.add(new Row(Kind.PARALLEL, count + " at once, to running", "pods/s"), name, count * 1e9 / (started - from));
        results.add(new Row(Kind.PARALLEL, count + " at once, to gone", "pods/s"), name, count * 1e9 / (ended - started));
    }
}
