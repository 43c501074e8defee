package io.berth.pod.stats;

import io.berth.linux.CgroupUsage;
import io.berth.linux.InterfaceCounters;
import io.berth.pod.record.Sandbox;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a pod uses.
 *
 * @param atNanos when it was measured, since the epoch
 * @param usage of the pod's own group, or the sum of its containers; empty when nothing of it runs
 * @param nanoCores nanoseconds of processor time a second, lately ({@link ProcessorRates})
 * @param network empty for a pod on the node's network and for one that is stopped
 * @param containers those that run
 */
public record PodUsage(Sandbox sandbox, long atNanos, Optional<CgroupUsage> usage, OptionalLong nanoCores,
        Optional<List<InterfaceCounters>> network, long processes, List<ContainerUsage> containers) {}
