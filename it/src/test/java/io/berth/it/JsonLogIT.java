package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.StartContainerRequest;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A daemon whose log is for programs. */
@Timeout(60)
class JsonLogIT {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

    // Nobody listens on port 9: the library of the traces complains in its own way, which must become lines as well.
    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("[debug]\nlevel = \"debug\"\nformat = \"json\"\n"
            + "[tracing]\notlp_endpoint = \"http://127.0.0.1:9\"\n");

    private List<JsonNode> lines() throws IOException {
        return Files.readAllLines(daemon.node().daemonLog()).stream().map(line -> JsonMapper.shared().readTree(line)).toList();
    }

    @Test
    void everyLineIsAnObjectWithItsFacts() throws Exception {
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("logged", daemon.node().logs()));
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), "00-" + TRACE + "-b7ad6b7169203331-01");
        assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime()
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .startContainer(StartContainerRequest.newBuilder().setContainerId("0123456789ab").build()));
        pods.stop(pod);
        pods.remove(pod);
        while (lines().stream().noneMatch(line -> line.path("logger").asString().startsWith("io.opentelemetry"))) {
            Thread.sleep(100);
        }
        List<JsonNode> lines = lines();
        for (JsonNode line : lines) {
            assertTrue(line.isObject() && line.has("time") && line.has("level") && line.has("logger") && line.has("message"),
                    line::toString);
        }
        JsonNode refused = lines.stream().filter(line -> line.path("rpc").asString("").equals("StartContainer")).findFirst()
                .orElseThrow();
        assertEquals(List.of("NOT_FOUND", "0123456789ab", TRACE, "info"), List.of(refused.path("status").asString(),
                refused.path("subject").asString(), refused.path("trace").asString(), refused.path("level").asString()));
        assertTrue(lines.stream().anyMatch(line -> line.path("message").asString().equals("serving")));
    }
}
