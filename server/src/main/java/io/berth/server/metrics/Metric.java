package io.berth.server.metrics;

import java.util.List;

/** The metrics that are Berth's own: what a scrape and the reference (docs/metrics.md) say of each. */
public enum Metric {
    BUILD_INFO("berth_build_info", "1; the version that runs.", "version"),
    CALLS("berth_rpc_duration_seconds", "Histogram of calls of the Container Runtime Interface and of Berth's own. code is"
            + " gRPC's, OK for success. method=\"PullImage\" are pulls, method=\"RunPodSandbox\" pods. Streams count when they"
            + " end.", "method", "code"),
    STEPS("berth_step_duration_seconds", "Histogram of the steps that berth timeline shows, and of those of pulls"
            + " (operation=\"PullImage\": manifest, config, layers, and fetch and unpack for each layer) and of exec."
            + " step=\"network\" is CNI or the built-in bridge, \"runtime create\" and \"runtime start\" are runc or crun."
            + " outcome is ok or failed.", "operation", "step", "outcome"),
    SPANS("berth_trace_spans_total", "Only with tracing.otlp_endpoint: spans that the collector took (exported), that it did"
            + " not (failed), that found the queue full (dropped).", "outcome"),
    PODS("berth_pods", "Pods on this node by state.", "state"),
    CONTAINERS("berth_containers", "Containers on this node by state.", "state"),
    NETWORK_READY("berth_network_ready", "1 when pods can get a network.");

    private final String title;
    private final String meaning;
    private final String[] labels;

    Metric(String title, String meaning, String... labels) {
        this.title = title;
        this.meaning = meaning;
        this.labels = labels;
    }

    /** Its name in a scrape; of a histogram without {@code _bucket}, {@code _count} and {@code _sum}. */
    public String title() {
        return title;
    }

    /** One line for a person. */
    public String meaning() {
        return meaning;
    }

    /** Names of its labels. */
    public List<String> labels() {
        return List.of(labels);
    }

    String[] labelNames() {
        return labels.clone();
    }
}
