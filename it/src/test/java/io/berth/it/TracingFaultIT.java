package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.VersionRequest;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A collector that takes nothing: calls go on as ever, and what is lost is counted. */
@Timeout(120)
class TracingFaultIT {

    private static final Collector COLLECTOR = collector();
    private static final int METRICS_PORT = freePort();

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("metrics.address = \"127.0.0.1:" + METRICS_PORT
            + "\"\n[tracing]\notlp_endpoint = \"" + COLLECTOR.endpoint() + "\"\n");

    private static Collector collector() {
        try {
            return Collector.thatHangs();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aCollectorThatHangsHoldsUpNoCallAndWhatIsLostIsCounted() throws IOException {
        try {
            // More than the queue and a batch hold.
            for (int i = 0; i < 4000; i++) {
                daemon.connection().runtime().version(VersionRequest.getDefaultInstance());
            }
            String metrics = new String(URI.create("http://127.0.0.1:" + METRICS_PORT + "/metrics").toURL().openStream()
                    .readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(metrics.contains("berth_rpc_duration_seconds_count{code=\"OK\",method=\"Version\"} 4000"), metrics);
            double dropped = metrics.lines().filter(line -> line.startsWith("berth_trace_spans_total{outcome=\"dropped\"}"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' ')))).sum();
            assertTrue(dropped > 500, () -> "dropped " + dropped);
        } finally {
            COLLECTOR.close();
        }
    }
}
