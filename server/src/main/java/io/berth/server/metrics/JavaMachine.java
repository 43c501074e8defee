package io.berth.server.metrics;

import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;

/**
 * What the Java machine tells of itself, from the first time that somebody asks. The management beans that it comes from take
 * more time than all else of a daemon's start. Thread-safe.
 */
final class JavaMachine implements MultiCollector {

    private PrometheusRegistry asked;

    @Override
    public MetricSnapshots collect() {
        return registry().scrape();
    }

    private synchronized PrometheusRegistry registry() {
        if (asked == null) {
            asked = new PrometheusRegistry();
            JvmMetrics.builder().register(asked);
        }
        return asked;
    }
}
