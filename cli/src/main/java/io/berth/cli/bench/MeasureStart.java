package io.berth.cli.bench;

import java.util.List;

/** From the start of the daemon's process to its first answer: with nothing to find again, then with many containers. */
final class MeasureStart implements Measurement {

    private static final int MOST = 10;

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        int rounds = Math.min(MOST, settings.rounds());
        Measurement.inTurn(contestants, 1, pods -> pods.contestant().restart());
        Measurement.inTurn(contestants, rounds, pods -> restart(pods, "start to first answer", results));
        int containers = Math.min(200, settings.containers());
        contestants.stream().filter(pods -> pods.contestant().restart().isPresent())
                .forEach(pods -> ManyContainers.make(pods, containers));
        Measurement.inTurn(contestants, rounds, pods -> restart(pods, "with " + containers + " containers", results));
        contestants.forEach(BenchPods::removeAll);
    }

    private static void restart(BenchPods pods, String what, Results results) {
        pods.contestant().restart().ifPresent(took ->
                results.addNanos(Kind.START, what, pods.contestant().name(), took.toNanos()));
    }
}
