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
    PULLS("berth_pull_duration_seconds", "Histogram of pulls; outcome is ok or the kind of the error (not_found,"
            + " unauthenticated, permission_denied, unavailable, data_loss, resource_exhausted, cancelled and others). Callers"
            + " that share a pull count once, and one that its caller has left counts when it ends.", "outcome"),
    PULL_BYTES("berth_pull_bytes_total", "Bytes of blobs that came over the network, counted as they come."),
    PULL_LAYERS("berth_pull_layers_total", "Layers of pulled images: fetched and unpacked, or present on the node.", "source"),
    PULL_RETRIES("berth_pull_retries_total", "Requests to registries that failed and were made again."),
    PULL_RUNNING_BYTES("berth_pull_running_bytes", "Bytes of each pull under way: all that the image has (total), and those"
            + " that are there (done). Gone when the pull has ended.", "image", "part"),
    PULL_RUNNING_LAYERS("berth_pull_running_layers", "Layers of each pull under way: all that the image has (total), and those"
            + " that are unpacked (done).", "image", "part"),
    PODS("berth_pods", "Pods on this node by state; prepared are sandboxes made ahead, no pods yet.", "state"),
    CONTAINERS("berth_containers", "Containers on this node by state.", "state"),
    NRI_PLUGINS("berth_nri_plugin", "1 for each NRI plugin that takes part.", "name"),
    EXTENSIONS("berth_extension", "1 for each extension in Java: active, hanging or not loaded.", "name", "state"),
    EXTENSION_FAILURES("berth_extension_failures_total", "Calls of an extension that failed or took too long.", "name"),
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
