package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.RemovePodSandboxRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.berth.cri.v1.StartContainerRequest;
import io.berth.cri.v1.StopPodSandboxRequest;
import io.berth.cri.v1.VersionRequest;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a collector gets of a client's trace. */
@Timeout(120)
class TracingIT {

    private static final Collector COLLECTOR = collector();
    private static final int METRICS_PORT = freePort();
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";

    // Only what a client wants to be traced.
    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("metrics.address = \"127.0.0.1:" + METRICS_PORT
            + "\"\n[tracing]\notlp_endpoint = \"" + COLLECTOR.endpoint() + "\"\nsampling_ratio = 0.0\n");

    private static Collector collector() {
        try {
            return Collector.start();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int freePort() {
        try (var socket = new java.net.ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterAll
    static void close() {
        COLLECTOR.close();
    }

    private RuntimeServiceBlockingStub traced(String trace, String flags) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), "00-" + trace + "-" + PARENT
                + "-" + flags);
        return daemon.connection().runtime().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static String hex(ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }

    private static Span call(String method) throws InterruptedException {
        return COLLECTOR.await(span -> span.getName().equals("runtime.v1.RuntimeService/" + method));
    }

    @Test
    void aClientsTraceGoesOnThroughTheCallAndItsSteps() throws Exception {
        RuntimeServiceBlockingStub runtime = traced(TRACE, "01");
        var config = PodClient.config("traced", daemon.node().logs());
        String pod = runtime.runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build()).getPodSandboxId();
        Span call = call("RunPodSandbox");
        assertEquals(TRACE, hex(call.getTraceId()));
        assertEquals(PARENT, hex(call.getParentSpanId()));
        assertEquals(Span.SpanKind.SPAN_KIND_SERVER, call.getKind());
        assertEquals(StatusCode.STATUS_CODE_UNSET, call.getStatus().getCode());
        assertEquals(List.of("grpc", "runtime.v1.RuntimeService", "RunPodSandbox", "0", "default/traced"),
                List.of("rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code", "berth.subject").stream()
                        .map(name -> Collector.attribute(call, name)).toList());
        assertEquals("berth", COLLECTOR.resource("service.name"));
        for (String step : List.of("record", "namespaces", "network", "ready")) {
            Span span = COLLECTOR.await(each -> each.getName().equals("RunPodSandbox/" + step));
            assertEquals(TRACE, hex(span.getTraceId()));
            assertEquals(hex(call.getSpanId()), hex(span.getParentSpanId()), step);
            assertEquals(pod, Collector.attribute(span, "berth.subject"));
            assertTrue(span.getStartTimeUnixNano() >= call.getStartTimeUnixNano()
                    && span.getEndTimeUnixNano() <= call.getEndTimeUnixNano(), step + " lies outside of its call");
        }
        runtime.stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
        runtime.removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
        call("RemovePodSandbox");
        String metrics = new String(URI.create("http://127.0.0.1:" + METRICS_PORT + "/metrics").toURL().openStream()
                .readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(metrics.lines().anyMatch(line -> line.startsWith("berth_trace_spans_total{outcome=\"exported\"} ")
                && !line.endsWith(" 0.0")), metrics);
        assertTrue(metrics.contains("berth_trace_spans_total{outcome=\"dropped\"} 0.0"), metrics);
    }

    @Test
    void whatFailsSaysSoAndWhatIsNotSampledIsNotTold() throws Exception {
        String unwanted = "1".repeat(32);
        traced(unwanted, "00").version(VersionRequest.getDefaultInstance());
        daemon.connection().runtime().version(VersionRequest.getDefaultInstance());
        String failing = "2".repeat(32);
        assertThrows(StatusRuntimeException.class, () -> traced(failing, "01").startContainer(
                StartContainerRequest.newBuilder().setContainerId("0123456789ab").build()));
        Span call = COLLECTOR.await(span -> hex(span.getTraceId()).equals(failing));
        // 5 is NOT_FOUND: the client's mistake, not a failure of the server.
        assertEquals("5", Collector.attribute(call, "rpc.grpc.status_code"));
        assertEquals(StatusCode.STATUS_CODE_UNSET, call.getStatus().getCode());
        assertEquals(List.of(), COLLECTOR.spans().stream().filter(span -> span.getName().endsWith("/Version")).toList());
    }

    @Test
    void aTraceparentThatIsNoneChangesNothing() throws Exception {
        for (String wrong : List.of("", "x", "00-" + "0".repeat(32) + "-" + PARENT + "-01",
                "00-" + TRACE + "-" + "0".repeat(16) + "-01",
                "z".repeat(2000))) {
            Metadata headers = new Metadata();
            headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), wrong);
            assertEquals("berth", daemon.connection().runtime().withInterceptors(
                    MetadataUtils.newAttachHeadersInterceptor(headers))
                    .version(VersionRequest.getDefaultInstance()).getRuntimeName());
        }
    }
}
