package io.berth.cli.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What to measure and on whom.
 *
 * @param socket a running Berth to measure; empty for one of the bench's own
 * @param against sockets of peers that run
 * @param againstContainerd whether to start containerd as a peer
 * @param runtime name or path of the OCI runtime of those that the bench starts
 * @param builtinNetwork whether Berth uses its own network and not the CNI plugins
 * @param masquerade whether the CNI chain masquerades
 * @param rounds counted repetitions for each contestant
 * @param pods how many pods at once, and the largest number for memory
 * @param pause before each pod that is measured alone, as on a node where pods come one by one
 * @param containers how many containers there are to list and to recover
 */
record BenchSettings(List<Kind> kinds, Optional<Path> socket, List<Path> against, boolean againstContainerd, String runtime,
        boolean builtinNetwork, boolean masquerade, int rounds, Duration pause, int pods, int containers) {

    /** Uncounted repetitions before: code is loaded and compiled, caches are filled. */
    int warmUps() {
        return Math.max(1, Math.min(10, rounds / 2));
    }

    /** The counts of pods at which memory is measured: none, a fifth, all. */
    List<Integer> podCounts() {
        return List.of(0, Math.max(1, pods / 5), pods).stream().distinct().toList();
    }

    /** Pods started at once. */
    int atOnce() {
        return Math.max(2, pods / 5);
    }
}
