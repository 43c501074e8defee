package io.berth.server.metrics;

import io.berth.image.PullProgress;
import io.berth.image.SharedPulls;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.List;
import java.util.Locale;

/** What pulls tell: how long they took and how they ended, what came, and how far those that run have come. */
final class PullMetrics {

    private static final double NANOS = 1e9;
    private static final double[] BOUNDS = {0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800};

    private PullMetrics() {}

    static void register(SharedPulls pulls, PrometheusRegistry registry) {
        Histogram durations = Histogram.builder().name(Metric.PULLS.title()).labelNames(Metric.PULLS.labelNames()).unit(Unit.SECONDS)
                .help(Metric.PULLS.meaning())
                .classicOnly().classicUpperBounds(BOUNDS).register(registry);
        durations.initLabelValues("ok");
        pulls.watch((took, failure) -> durations.labelValues(failure.map(kind -> kind.name().toLowerCase(Locale.ROOT))
                .orElse("ok")).observe(took.toNanos() / NANOS));
        CounterWithCallback.builder().name(Metric.PULL_BYTES.title()).labelNames(Metric.PULL_BYTES.labelNames())
                .help(Metric.PULL_BYTES.meaning())
                .callback(counter -> counter.call(pulls.totals().bytes())).register(registry);
        CounterWithCallback.builder().name(Metric.PULL_LAYERS.title()).labelNames(Metric.PULL_LAYERS.labelNames())
                .help(Metric.PULL_LAYERS.meaning()).callback(counter -> {
                    counter.call(pulls.totals().fetchedLayers(), "fetched");
                    counter.call(pulls.totals().presentLayers(), "present");
                }).register(registry);
        CounterWithCallback.builder().name(Metric.PULL_RETRIES.title()).labelNames(Metric.PULL_RETRIES.labelNames())
                .help(Metric.PULL_RETRIES.meaning())
                .callback(counter -> counter.call(pulls.totals().retries())).register(registry);
        GaugeWithCallback.builder().name(Metric.PULL_RUNNING_BYTES.title()).labelNames(Metric.PULL_RUNNING_BYTES.labelNames())
                .help(Metric.PULL_RUNNING_BYTES.meaning())
                .callback(gauge -> running(pulls).forEach(pull -> {
                    gauge.call(pull.doneBytes(), pull.reference(), "done");
                    gauge.call(pull.totalBytes(), pull.reference(), "total");
                })).register(registry);
        GaugeWithCallback.builder().name(Metric.PULL_RUNNING_LAYERS.title()).labelNames(Metric.PULL_RUNNING_LAYERS.labelNames())
                .help(Metric.PULL_RUNNING_LAYERS.meaning())
                .callback(gauge -> running(pulls).forEach(pull -> {
                    gauge.call(pull.layers().stream().filter(layer -> layer.phase() == PullProgress.Phase.DONE).count(),
                            pull.reference(), "done");
                    gauge.call(pull.layers().size(), pull.reference(), "total");
                })).register(registry);
    }

    // Pulls of one image with different credentials are several: one line each is all that a gauge can have.
    private static List<PullProgress.Snapshot> running(SharedPulls pulls) {
        return List.copyOf(pulls.progress().stream().filter(pull -> pull.endedAt().isEmpty()).collect(
                java.util.stream.Collectors.toMap(PullProgress.Snapshot::reference, pull -> pull, (one, other) -> one)).values());
    }
}
