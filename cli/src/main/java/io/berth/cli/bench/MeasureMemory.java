package io.berth.cli.bench;

import io.berth.cli.bench.Results.Row;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.StatusRequest;
import io.berth.cri.v1.VersionRequest;
import java.util.List;

/**
 * Proportional set sizes of the daemon and of what it keeps for its pods, the workload excepted: after a thousand calls,
 * idle, with growing numbers of pods of one container.
 */
final class MeasureMemory implements Measurement {

    private static final int CALLS = 250;
    // A daemon gives memory back only after a while; Berth's every five seconds.
    private static final long IDLE_MILLIS = 7000;
    private static final double MIB = 1 << 20;

    @Override
    public void run(List<BenchPods> contestants, BenchSettings settings, Results results) {
        contestants.forEach(MeasureMemory::call);
        int running = 0;
        for (int count : settings.podCounts()) {
            for (int more = count - running; more > 0; more--) {
                contestants.forEach(BenchPods::run);
            }
            running = count;
            OwnContainerd.pause(IDLE_MILLIS);
            for (BenchPods pods : contestants) {
                measure(pods.contestant(), count, results);
            }
        }
        contestants.forEach(BenchPods::removeAll);
    }

    private static void call(BenchPods pods) {
        var runtime = pods.contestant().connection().runtime();
        for (int round = 0; round < CALLS; round++) {
            runtime.version(VersionRequest.getDefaultInstance());
            runtime.status(StatusRequest.getDefaultInstance());
            runtime.listContainers(ListContainersRequest.getDefaultInstance());
            runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance());
        }
    }

    private static void measure(Contestant contestant, int count, Results results) {
        double daemon = BenchProcesses.pss(contestant.daemon()) / MIB;
        double helpers = BenchProcesses.helpers(contestant.mark(), BenchPods.WORKLOAD).stream()
                .mapToLong(BenchProcesses::pss).sum() / MIB;
        String with = ", " + count + (count == 1 ? " pod" : " pods");
        results.add(new Row(Kind.MEMORY, "daemon" + with, "MiB"), contestant.name(), daemon);
        results.add(new Row(Kind.MEMORY, "helpers" + with, "MiB"), contestant.name(), helpers);
        results.add(new Row(Kind.MEMORY, "all" + with, "MiB"), contestant.name(), daemon + helpers);
    }
}
