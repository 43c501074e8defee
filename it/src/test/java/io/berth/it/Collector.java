package io.berth.it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;

/** A collector of OpenTelemetry's protocol over HTTP that keeps what it gets. Closing it ends it. */
final class Collector implements AutoCloseable {

    private static final long PATIENCE_NANOS = 30_000_000_000L;

    private final HttpServer server;
    private final List<ExportTraceServiceRequest> requests = new ArrayList<>();
    private final CountDownLatch holds;

    private Collector(int port, int held) throws IOException {
        holds = new CountDownLatch(held);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/traces", this::take);
        server.start();
    }

    static Collector start() throws IOException {
        return new Collector(0, 0);
    }

    /** One that takes a request and does not answer until {@link #answer}. */
    static Collector thatHangs() throws IOException {
        return new Collector(0, 1);
    }

    void answer() {
        holds.countDown();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange; InputStream body = new GZIPInputStream(exchange.getRequestBody())) {
            ExportTraceServiceRequest request = ExportTraceServiceRequest.parseFrom(body);
            holds.await();
            synchronized (requests) {
                requests.add(request);
                requests.notifyAll();
            }
            byte[] answer = ExportTraceServiceResponse.getDefaultInstance().toByteArray();
            exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** All spans so far. */
    List<Span> spans() {
        synchronized (requests) {
            return requests.stream().flatMap(request -> request.getResourceSpansList().stream())
                    .flatMap(resource -> resource.getScopeSpansList().stream())
                    .flatMap(scope -> scope.getSpansList().stream()).toList();
        }
    }

    /** Waits for a span. */
    Span await(Predicate<Span> wanted) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        synchronized (requests) {
            while (true) {
                var found = spans().stream().filter(wanted).findFirst();
                if (found.isPresent()) {
                    return found.get();
                }
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new AssertionError("no such span came, but " + spans().stream().map(Span::getName).toList());
                }
                requests.wait(Math.max(1, left / 1_000_000));
            }
        }
    }

    /** An attribute of a span as text, empty when it has none of this name. */
    static String attribute(Span span, String name) {
        return attribute(span.getAttributesList(), name);
    }

    /** An attribute of what sent the spans. */
    String resource(String name) {
        synchronized (requests) {
            return attribute(requests.getFirst().getResourceSpans(0).getResource().getAttributesList(), name);
        }
    }

    private static String attribute(List<KeyValue> attributes, String name) {
        return attributes.stream().filter(each -> each.getKey().equals(name)).map(each -> each.getValue().hasStringValue()
                ? each.getValue().getStringValue() : Long.toString(each.getValue().getIntValue())).findFirst().orElse("");
    }

    @Override
    public void close() {
        holds.countDown();
        server.stop(0);
    }
}
