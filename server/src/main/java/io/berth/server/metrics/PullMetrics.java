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
        Histogram durations = Histogram.builder().name("berth_pull_duration_seconds").unit(Unit.SECONDS)
                .help("Time of pulls by how they ended: ok, or the kind of the error. Callers that share a pull count once.")
                .labelNames("outcome").classicOnly().classicUpperBounds(BOUNDS).register(registry);
        durations.initLabelValues("ok");
        pulls.watch((took, failure) -> durations.labelValues(failure.map(kind -> kind.name().toLowerCase(Locale.ROOT))
                .orElse("ok")).observe(took.toNanos() / NANOS));
        CounterWithCallback.builder().name("berth_pull_bytes_total")
                .help("Bytes of blobs that came over the network, counted as they come.")
                .callback(counter -> counter.call(pulls.totals().bytes())).register(registry);
        CounterWithCallback.builder().name("berth_pull_layers_total").labelNames("source")
                .help("Layers of pulled images: fetched and unpacked, or present on the node.").callback(counter -> {
                    counter.call(pulls.totals().fetchedLayers(), "fetched");
                    counter.call(pulls.totals().presentLayers(), "present");
                }).register(registry);
        CounterWithCallback.builder().name("berth_pull_retries_total")
                .help("Requests to registries that failed and were made again.")
                .callback(counter -> counter.call(pulls.totals().retries())).register(registry);
        GaugeWithCallback.builder().name("berth_pull_running_bytes").labelNames("image", "part")
                .help("Bytes of each pull under way: all that the image has (total), and those that are there (done).")
                .callback(gauge -> running(pulls).forEach(pull -> {
                    gauge.call(pull.doneBytes(), pull.reference(), "done");
                    gauge.call(pull.totalBytes(), pull.reference(), "total");
                })).register(registry);
        GaugeWithCallback.builder().name("berth_pull_running_layers").labelNames("image", "part")
                .help("Layers of each pull under way: all that the image has (total), and those that are unpacked (done).")
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
