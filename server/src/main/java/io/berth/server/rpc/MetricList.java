package io.berth.server.rpc;

import io.berth.cri.v1.Metric;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The metrics of one pod or container while they are put together: each gets the labels that its descriptor names. */
final class MetricList {

    /** The labels of every metric; of a pod's own metrics container and image are empty. */
    static final List<String> LABELS = List.of("id", "image", "namespace", "pod", "container");

    private final List<String> labels;
    private final long atNanos;
    private final List<Metric> metrics = new ArrayList<>();

    /**
     * @param labels the values of {@link #LABELS}
     * @param atNanos when all of them were measured, since the epoch
     */
    MetricList(List<String> labels, long atNanos) {
        this.labels = labels;
        this.atNanos = atNanos;
    }

    /** @param ownLabels the values of the family's own labels, in their order */
    void add(MetricFamily family, long value, String... ownLabels) {
        if (labels.size() + ownLabels.length != family.descriptor().getLabelKeysCount()) {
            throw new IllegalArgumentException(family + " has labels " + family.descriptor().getLabelKeysList());
        }
        metrics.add(Metric.newBuilder().setName(family.descriptor().getName()).setTimestamp(atNanos)
                .setMetricType(family.type()).addAllLabelValues(labels).addAllLabelValues(List.of(ownLabels))
                .setValue(StatsMessages.value(value)).build());
    }

    /** Adds it where the kernel tells it. */
    void add(MetricFamily family, OptionalLong value, String... ownLabels) {
        value.ifPresent(known -> add(family, known, ownLabels));
    }

    List<Metric> metrics() {
        return metrics;
    }
}
