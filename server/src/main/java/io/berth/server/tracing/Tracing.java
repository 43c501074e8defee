package io.berth.server.tracing;

import io.grpc.ServerInterceptor;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends traces of calls to a collector, by OTLP over HTTP with protobuf. A call never waits for it: spans go into a queue of
 * {@value #QUEUE} and are sent from a thread of their own, in batches; what finds the queue full is dropped and counted.
 * Thread-safe; closing it sends what is left, with a limit.
 */
public final class Tracing implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Tracing.class);

    static final int QUEUE = 2048;
    private static final int BATCH = 512;
    private static final Duration DELAY = Duration.ofSeconds(1);
    private static final Duration EXPORT_LIMIT = Duration.ofSeconds(10);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

    private final SdkTracerProvider provider;
    private final Tracer tracer;
    private final CountingExporter exporter;
    private final QueueCounts queue;

    private Tracing(SdkTracerProvider provider, Tracer tracer, CountingExporter exporter, QueueCounts queue) {
        this.provider = provider;
        this.tracer = tracer;
        this.exporter = exporter;
        this.queue = queue;
    }

    /**
     * Begins to send; whether anybody listens there turns out later.
     *
     * @param endpoint the collector's base address, such as {@code http://127.0.0.1:4318}
     * @param ratio of calls without a sampled parent that are traced, 0 to 1; what the client's trace says wins
     */
    public static Tracing start(URI endpoint, double ratio, String serviceName, String version, String host) {
        CountingExporter exporter = new CountingExporter(OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint.toString().replaceFirst("/+$", "") + "/v1/traces").setTimeout(EXPORT_LIMIT)
                .setCompression("gzip").build());
        QueueCounts queue = new QueueCounts();
        BatchSpanProcessor batches = BatchSpanProcessor.builder(exporter).setMaxQueueSize(QUEUE).setMaxExportBatchSize(BATCH)
                .setScheduleDelay(DELAY).setExporterTimeout(EXPORT_LIMIT)
                .setMeterProvider(SdkMeterProvider.builder().registerMetricReader(queue).build()).build();
        SdkTracerProvider provider = SdkTracerProvider.builder().addSpanProcessor(batches)
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(ratio)))
                .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), serviceName,
                        AttributeKey.stringKey("service.version"), version, AttributeKey.stringKey("host.name"), host))).build();
        LOG.atInfo().addKeyValue("endpoint", endpoint).addKeyValue("ratio", ratio).log("tracing started");
        return new Tracing(provider, provider.get("io.berth", version), exporter, queue);
    }

    /** What the socket's server needs so that calls find their parents. */
    public ServerInterceptor incoming() {
        return new IncomingTrace();
    }

    /**
     * Begins the span of the call that the present thread answers.
     *
     * @param subject what it is about, may be empty
     */
    public TracedCall begin(String method, String subject) {
        IncomingTrace.Incoming incoming = IncomingTrace.current();
        Span span = tracer.spanBuilder(incoming.service() + "/" + method).setParent(incoming.parent())
                .setSpanKind(SpanKind.SERVER).setAttribute("rpc.system", "grpc")
                .setAttribute("rpc.service", incoming.service()).setAttribute("rpc.method", method)
                .setAttribute("berth.subject", subject).startSpan();
        return new TracedCall(tracer, span);
    }

    /** Spans that a collector took. */
    public long exported() {
        return exporter.exported();
    }

    /** Spans that no collector took: it was not there, or did not want them. */
    public long failed() {
        return exporter.failed();
    }

    /** Spans that found the queue full. */
    public long dropped() {
        return queue.dropped();
    }

    @Override
    public void close() {
        provider.shutdown().join(CLOSE_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
