package io.berth.pod.stats;

import io.berth.linux.CgroupUsage;
import io.berth.pod.record.Container;
import io.berth.snapshot.Usage;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a container uses.
 *
 * @param atNanos when it was measured, since the epoch
 * @param usage empty when no process of it lives
 * @param nanoCores nanoseconds of processor time a second, lately ({@link ProcessorRates})
 * @param layer what it has changed in its root file system
 */
public record ContainerUsage(Container container, long atNanos, Optional<CgroupUsage> usage, OptionalLong nanoCores,
        Optional<Usage> layer) {}
