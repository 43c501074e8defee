package io.berth.server.metrics;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.server.extension.Extensions;
import io.berth.server.tracing.Tracing;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Berth's own metrics: calls, the steps of operations, what is on the node, and the Java machine. Thread-safe; closing it ends
 * serving. Names and labels are pinned by a test, with the dashboard and the alerts that use them.
 */
public final class Metrics implements AutoCloseable {

    private static final double NANOS = 1e9;
    /** From an answer out of memory to a pull of many gigabytes. */
    private static final double[] CALL_BOUNDS = {0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900};
    private static final double[] STEP_BOUNDS = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Histogram calls = Histogram.builder().name("berth_rpc_duration_seconds").unit(Unit.SECONDS)
            .help("Time of calls of the Container Runtime Interface and of Berth's own, by method and status code.")
            .labelNames("method", "code").classicOnly().classicUpperBounds(CALL_BOUNDS).register(registry);
    private final Histogram steps = Histogram.builder().name("berth_step_duration_seconds").unit(Unit.SECONDS)
            .help("Time of the steps that operations on pods and containers are made of: network is CNI or the bridge,"
                    + " runtime create and runtime start are runc or crun.")
            .labelNames("operation", "step", "outcome").classicOnly().classicUpperBounds(STEP_BOUNDS).register(registry);
    private final HTTPServer server;

    private Metrics(InetSocketAddress address, String version) throws IOException {
        Info.builder().name("berth_build_info").help("The version that runs.").labelNames("version").register(registry)
                .setLabelValues(version);
        registry.register(new JavaMachine());
        server = HTTPServer.builder().inetAddress(address.getAddress()).port(address.getPort()).registry(registry)
                .buildAndStart();
    }

    /**
     * Serves {@code /metrics}.
     *
     * @param address HOST:PORT; port 0 takes a free one
     * @throws RuntimeFault FAILED_PRECONDITION when the address is taken
     */
    public static Metrics serve(String address, String version) {
        int colon = address.lastIndexOf(':');
        try {
            return new Metrics(new InetSocketAddress(InetAddress.getByName(address.substring(0, colon)),
                    Integer.parseInt(address.substring(colon + 1))), version);
        } catch (IOException e) {
            throw RuntimeFault.precondition("serve metrics at " + address + ": " + RuntimeFault.reason(e)
                    + ": set metrics.address to another one");
        }
    }

    /** Where it listens. */
    public int port() {
        return server.getPort();
    }

    /** Counts a call. */
    public void call(String method, String code, long nanos) {
        calls.labelValues(method, code).observe(nanos / NANOS);
    }

    /** Counts a step of an operation. */
    public void step(Timeline.Step step) {
        steps.labelValues(step.operation(), step.step(), step.error().isEmpty() ? "ok" : "failed")
                .observe(step.nanos() / NANOS);
    }

    /** Shows what is on the node, asked when somebody looks. */
    public void show(Node node) {
        GaugeWithCallback.builder().name("berth_pods").help("Pods on this node by state.").labelNames("state")
                .callback(gauge -> {
                    Map<String, Long> count = node.inventory().sandboxes().stream().collect(Collectors.groupingBy(
                            (Sandbox sandbox) -> sandbox.phase().name().toLowerCase(Locale.ROOT), Collectors.counting()));
                    for (Sandbox.Phase phase : Sandbox.Phase.values()) {
                        String name = phase.name().toLowerCase(Locale.ROOT);
                        gauge.call(count.getOrDefault(name, 0L), name);
                    }
                }).register(registry);
        GaugeWithCallback.builder().name("berth_containers").help("Containers on this node by state.").labelNames("state")
                .callback(gauge -> {
                    Map<String, Long> count = node.inventory().containers().stream().collect(Collectors.groupingBy(
                            (Container container) -> container.phase().name().toLowerCase(Locale.ROOT), Collectors.counting()));
                    for (Container.Phase phase : Container.Phase.values()) {
                        String name = phase.name().toLowerCase(Locale.ROOT);
                        gauge.call(count.getOrDefault(name, 0L), name);
                    }
                }).register(registry);
        GaugeWithCallback.builder().name("berth_network_ready").help("1 when pods can get a network.")
                .callback(gauge -> gauge.call(node.network().status().ready() ? 1 : 0)).register(registry);
    }

    /** Shows who takes part beside Berth itself. */
    public void show(Extensions extensions, Supplier<List<String>> nriPlugins) {
        GaugeWithCallback.builder().name("berth_nri_plugin").help("1 for each NRI plugin that takes part.").labelNames("name")
                .callback(gauge -> nriPlugins.get().stream().distinct().forEach(name -> gauge.call(1, name))).register(registry);
        GaugeWithCallback.builder().name("berth_extension").help("1 for each extension in Java, by how it does.")
                .labelNames("name", "state").callback(gauge -> extensions.states()
                        .forEach(each -> gauge.call(1, each.name(), each.state()))).register(registry);
        CounterWithCallback.builder().name("berth_extension_failures_total").labelNames("name")
                .help("Calls of extensions in Java that failed or took too long.").callback(counter -> extensions.states()
                        .forEach(each -> counter.call(each.failures(), each.name()))).register(registry);
    }

    /** Shows what becomes of spans. */
    public void show(Tracing tracing) {
        CounterWithCallback.builder().name("berth_trace_spans_total").labelNames("outcome")
                .help("Spans by what became of them: taken by the collector, refused or not reached, or dropped as the queue"
                        + " was full.").callback(counter -> {
                    counter.call(tracing.exported(), "exported");
                    counter.call(tracing.failed(), "failed");
                    counter.call(tracing.dropped(), "dropped");
                }).register(registry);
    }

    @Override
    public void close() {
        server.close();
    }
}
