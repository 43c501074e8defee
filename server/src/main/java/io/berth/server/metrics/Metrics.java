package io.berth.server.metrics;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.image.SharedPulls;
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
    private final Histogram calls = Histogram.builder().name(Metric.CALLS.title()).unit(Unit.SECONDS)
            .help(Metric.CALLS.meaning()).labelNames(Metric.CALLS.labelNames())
            .classicOnly().classicUpperBounds(CALL_BOUNDS).register(registry);
    private final Histogram steps = Histogram.builder().name(Metric.STEPS.title()).unit(Unit.SECONDS)
            .help(Metric.STEPS.meaning()).labelNames(Metric.STEPS.labelNames())
            .classicOnly().classicUpperBounds(STEP_BOUNDS).register(registry);
    private final HTTPServer server;

    private Metrics(InetSocketAddress address, String version) throws IOException {
        Info.builder().name(Metric.BUILD_INFO.title()).help(Metric.BUILD_INFO.meaning())
                .labelNames(Metric.BUILD_INFO.labelNames()).register(registry).setLabelValues(version);
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
        gauge(Metric.PODS)
                .callback(gauge -> {
                    Map<String, Long> count = node.inventory().sandboxes().stream().collect(Collectors.groupingBy(
                            (Sandbox sandbox) -> sandbox.phase().name().toLowerCase(Locale.ROOT), Collectors.counting()));
                    for (Sandbox.Phase phase : Sandbox.Phase.values()) {
                        String name = phase.name().toLowerCase(Locale.ROOT);
                        gauge.call(count.getOrDefault(name, 0L), name);
                    }
                }).register(registry);
        gauge(Metric.CONTAINERS)
                .callback(gauge -> {
                    Map<String, Long> count = node.inventory().containers().stream().collect(Collectors.groupingBy(
                            (Container container) -> container.phase().name().toLowerCase(Locale.ROOT), Collectors.counting()));
                    for (Container.Phase phase : Container.Phase.values()) {
                        String name = phase.name().toLowerCase(Locale.ROOT);
                        gauge.call(count.getOrDefault(name, 0L), name);
                    }
                }).register(registry);
        gauge(Metric.NETWORK_READY)
                .callback(gauge -> gauge.call(node.network().status().ready() ? 1 : 0)).register(registry);
    }

    /** Shows what pulls come to. */
    public void show(SharedPulls pulls) {
        PullMetrics.register(pulls, registry);
    }

    /** Shows who takes part beside Berth itself. */
    public void show(Extensions extensions, Supplier<List<String>> nriPlugins) {
        gauge(Metric.NRI_PLUGINS).callback(gauge -> nriPlugins.get().stream().distinct().forEach(name -> gauge.call(1, name)))
                .register(registry);
        gauge(Metric.EXTENSIONS).callback(gauge -> extensions.states()
                .forEach(each -> gauge.call(1, each.name(), each.state()))).register(registry);
        CounterWithCallback.builder().name(Metric.EXTENSION_FAILURES.title()).labelNames(Metric.EXTENSION_FAILURES.labelNames())
                .help(Metric.EXTENSION_FAILURES.meaning()).callback(counter -> extensions.states()
                        .forEach(each -> counter.call(each.failures(), each.name()))).register(registry);
    }

    private static GaugeWithCallback.Builder gauge(Metric metric) {
        return GaugeWithCallback.builder().name(metric.title()).help(metric.meaning()).labelNames(metric.labelNames());
    }

    /** Shows what becomes of spans. */
    public void show(Tracing tracing) {
        CounterWithCallback.builder().name(Metric.SPANS.title()).labelNames(Metric.SPANS.labelNames())
                .help(Metric.SPANS.meaning()).callback(counter -> {
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
