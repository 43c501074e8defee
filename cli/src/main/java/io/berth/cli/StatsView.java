package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Table;
import io.berth.cli.output.Words;
import io.berth.cri.v1.ContainerStats;
import io.berth.cri.v1.ListContainerStatsRequest;
import io.berth.cri.v1.ListContainerStatsResponse;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** What containers use, between two looks. Keeps the last look for the rate of CPU time; used by one thread. */
final class StatsView {

    private record Look(long timestampNanos, long cpuNanos) {}

    private final Connection berth;
    private final Predicate<ContainerStats> wanted;
    private Map<String, Look> last = new HashMap<>();

    StatsView(Connection berth, Predicate<ContainerStats> wanted) {
        this.berth = berth;
        this.wanted = wanted;
    }

    /** A fresh look; {@code byUse} sorts by CPU time instead of by name. */
    Listing look(boolean byUse) {
        ListContainerStatsResponse answer = berth.runtime().listContainerStats(ListContainerStatsRequest.getDefaultInstance());
        List<ContainerStats> stats = answer.getStatsList().stream().filter(wanted).toList();
        Map<String, Look> now = stats.stream().collect(Collectors.toMap(each -> each.getAttributes().getId(),
                each -> new Look(each.getCpu().getTimestamp(), each.getCpu().getUsageCoreNanoSeconds().getValue())));
        Map<String, Look> before = last;
        last = now;
        return Listing.of(ListContainerStatsResponse.newBuilder().addAllStats(stats).build(),
                () -> table(stats, before, byUse));
    }

    private Table table(List<ContainerStats> stats, Map<String, Look> before, boolean byUse) {
        Map<String, PodSandbox> pods = berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList().stream().collect(Collectors.toMap(pod -> pod.getMetadata().getUid(), Function.identity(),
                        (a, b) -> a));
        Comparator<ContainerStats> order = byUse
                ? Comparator.comparingDouble((ContainerStats each) -> cpuPercent(each, before)).reversed()
                : Comparator.comparing(each -> each.getAttributes().getMetadata().getName());
        Table table = new Table("CONTAINER ID", "NAME", "POD", ">CPU", ">MEMORY", ">SWAP", ">DISK", ">INODES");
        stats.stream().sorted(order.thenComparing(each -> each.getAttributes().getId())).forEach(each -> {
            double cpu = cpuPercent(each, before);
            table.row(Words.shortId(each.getAttributes().getId()), each.getAttributes().getMetadata().getName(),
                    pods.getOrDefault(each.getAttributes().getLabelsOrDefault("io.kubernetes.pod.uid", ""),
                            PodSandbox.getDefaultInstance()).getMetadata().getName(),
                    cpu < 0 ? "-" : String.format(Locale.ROOT, "%.1f%%", cpu),
                    Words.bytes(each.getMemory().getWorkingSetBytes().getValue()),
                    Words.bytes(each.getSwap().getSwapUsageBytes().getValue()),
                    Words.bytes(each.getWritableLayer().getUsedBytes().getValue()),
                    each.getWritableLayer().getInodesUsed().getValue());
        });
        return table;
    }

    // Percent of one CPU since the last look, or as the daemon has measured it, or -1 when neither is known.
    private static double cpuPercent(ContainerStats stats, Map<String, Look> before) {
        Look old = before.get(stats.getAttributes().getId());
        long passed = old == null ? 0 : stats.getCpu().getTimestamp() - old.timestampNanos;
        if (passed > 0) {
            return 100.0 * (stats.getCpu().getUsageCoreNanoSeconds().getValue() - old.cpuNanos) / passed;
        }
        return stats.getCpu().hasUsageNanoCores() ? stats.getCpu().getUsageNanoCores().getValue() / 1e7 : -1;
    }
}
