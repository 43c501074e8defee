package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** One kind of measurement. It adds its rows to the results and leaves no pod behind when it succeeds. */
interface Measurement {

    /** @throws RuntimeFault what a step failed with */
    void run(List<BenchPods> contestants, BenchSettings settings, Results results);

    /**
     * Rounds in turn: each contestant once a round, so that whatever slows the machine down meets all of them. Every other
     * round goes the other way, so that nobody always comes after the same one.
     */
    static void inTurn(List<BenchPods> contestants, int rounds, Consumer<BenchPods> round) {
        for (int number = 0; number < rounds; number++) {
            (number % 2 == 0 ? contestants : contestants.reversed()).forEach(round);
        }
    }

    /** As {@link #inTurn(List, int, Consumer)}, with nothing to do for a while before each. */
    static void inTurn(List<BenchPods> contestants, int rounds, Duration pause, Consumer<BenchPods> round) {
        inTurn(contestants, rounds, pods -> {
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "measure: interrupted", e);
            }
            round.accept(pods);
        });
    }
}
