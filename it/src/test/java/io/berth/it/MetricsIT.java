package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PullImageRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** What a daemon serves for Prometheus, and that dashboard, alerts and reference name nothing else. */
@Timeout(60)
class MetricsIT {

    private static final Path PACKAGING = Path.of("../packaging");
    private static final int PORT = freePort();

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("metrics.address = \"127.0.0.1:" + PORT + "\"\n");

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String served() throws IOException {
        try (var page = URI.create("http://127.0.0.1:" + PORT + "/metrics").toURL().openStream()) {
            return new String(page.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @TempDir
    private Path directory;

    @Test
    void aPodsLifeIsCountedAndEveryNameThatIsUsedIsServed() throws Exception {
        TestImages.busybox(daemon);
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("counted", daemon.node().logs()));
        String container = pods.run(pod, PodClient.container("main", "true"));
        pods.awaitExit(container, Duration.ofSeconds(20));
        String lasting = pods.run(pod, PodClient.container("lasting", "sleep", "100"));
        pods.exec(lasting, "true");
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            daemon.connection().images().pullImage(PullImageRequest.newBuilder().setImage(ImageSpec.newBuilder()
                    .setImage(registry.push("counted"))).build());
        }
        assertThrows(StatusRuntimeException.class, () -> daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage("127.0.0.1:1/nobody:1")).build()));
        String page = served();
        double pulled = Double.parseDouble(page.lines().filter(line -> line.startsWith("berth_pull_bytes_total ")).findFirst()
                .orElseThrow().split(" ")[1]);
        assertTrue(pulled > 100_000, () -> "a busybox is larger than " + pulled + " bytes");
        for (String line : List.of("berth_rpc_duration_seconds_count{code=\"OK\",method=\"RunPodSandbox\"} 1",
                "berth_step_duration_seconds_count{operation=\"RunPodSandbox\",outcome=\"ok\",step=\"network\"} 1",
                "berth_step_duration_seconds_count{operation=\"CreateContainer\",outcome=\"ok\",step=\"runtime create\"} 2",
                "berth_step_duration_seconds_count{operation=\"ExecSync\",outcome=\"ok\",step=\"run\"} 1",
                "berth_step_duration_seconds_count{operation=\"PullImage\",outcome=\"ok\",step=\"manifest\"} 1",
                "berth_step_duration_seconds_count{operation=\"PullImage\",outcome=\"ok\",step=\"unpack\"} 1",
                "berth_step_duration_seconds_count{operation=\"PullImage\",outcome=\"ok\",step=\"fetch\"} 1",
                "berth_pull_duration_seconds_count{outcome=\"ok\"} 1",
                "berth_pull_duration_seconds_count{outcome=\"unavailable\"} 1",
                "berth_pull_layers_total{source=\"fetched\"} 1", "berth_pull_layers_total{source=\"present\"} 0",
                "berth_pods{state=\"ready\"} 1", "berth_containers{state=\"exited\"} 1", "berth_network_ready 1")) {
            assertTrue(page.contains(line), () -> line + " is not in\n" + page);
        }
        Set<String> served = new TreeSet<>();
        page.lines().filter(line -> !line.startsWith("#")).forEach(line -> served.add(line.split("[ {]")[0]));
        List<String> missing = used().stream().filter(name -> !served.contains(name)).toList();
        assertEquals(List.of(), missing, "named in dashboard or alerts, but not served");
        String reference = Files.readString(Path.of("../docs/metrics.md"));
        assertEquals(List.of(), served.stream().filter(name -> name.startsWith("berth_"))
                .map(name -> name.replaceFirst("_(bucket|count|sum)$", "")).distinct()
                .filter(name -> !reference.contains("`" + name + "`")).toList(), "not in docs/metrics.md");
        pods.stop(pod);
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    private static Set<String> used() throws IOException {
        List<String> expressions = new ArrayList<>();
        JsonNode dashboard = JsonMapper.shared().readTree(Files.readString(PACKAGING.resolve("grafana/berth.json")));
        dashboard.findValuesAsString("expr").forEach(expressions::add);
        JsonNode rules = YAMLMapper.shared().readTree(Files.readString(PACKAGING.resolve("prometheus/berth.rules.yaml")));
        rules.findValuesAsString("expr").forEach(expressions::add);
        assertTrue(expressions.size() > 10, "dashboard and alerts were not read");
        Set<String> names = new TreeSet<>();
        for (String expression : expressions) {
            Matcher name = Pattern.compile("\\b(?:berth|jvm|process)_[a-z_]+\\b").matcher(expression);
            while (name.find()) {
                names.add(name.group());
            }
        }
        return names;
    }
}
