package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What each runtime handler decides for itself, with a real runc. */
@Timeout(120)
class HandlerOptionsIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private Path base;

    @BeforeEach
    void configure() throws IOException {
        Path directory = daemon.node().directory();
        base = Files.writeString(directory.resolve("base.json"), """
                {"ociVersion": "1.0.2",
                 "process": {"env": ["FROM_BASE=yes", "OVER=base"], "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 321, "hard": 321}]},
                 "mounts": [{"destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]}],
                 "annotations": {"from.base": "1", "io.kubernetes.cri.sandbox-id": "forged"}}
                """);
        daemon.stop();
        Files.createDirectories(directory.resolve("config.d"));
        Files.writeString(directory.resolve("config.d/handlers.toml"), """
                [runtime]
                default_runtime_name = "plain"
                ignore_rdt_not_enabled_errors = false
                [runtime.runtimes.plain]
                runtime_path = "runc"
                [runtime.runtimes.special]
                runtime_path = "runc"
                base_runtime_spec = "%s"
                pod_annotations = ["of.pod/*", "io.kubernetes.cri.*"]
                container_annotations = ["of.container"]
                privileged_without_host_devices = true
                [runtime.runtimes.any]
                runtime_path = "runc"
                privileged_without_host_devices = true
                privileged_without_host_devices_all_devices_allowed = true
                [runtime.runtimes.unwatched]
                runtime_path = "runc"
                monitor_path = "/bin/false"
                """.formatted(base));
        daemon.start();
        TestImages.busybox(daemon);
    }

    private PodClient.Pod pod(String handler) {
        var config = PodClient.config("pod-" + handler, daemon.node().logs()).toBuilder().putAnnotations("of.pod/a", "1")
                .putAnnotations("of.pod/b/c", "1").putAnnotations("io.kubernetes.cri.sandbox-id", "forged")
                .putAnnotations("other", "1").build();
        String id = daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config)
                .setRuntimeHandler(handler).build()).getPodSandboxId();
        return new PodClient.Pod(id, config);
    }

    private static ContainerConfig container(boolean privileged) {
        var config = PodClient.container("c", "sleep", "1000").toBuilder().putAnnotations("of.container", "2")
                .putAnnotations("other", "2");
        config.addEnvsBuilder().setKey("OVER").setValue(ByteString.copyFromUtf8("request"));
        config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(privileged);
        return config.build();
    }

    private String shell(String container, String script) {
        return daemon.pods().exec(container, "sh", "-c", script).getStdout().toStringUtf8();
    }

    private JsonNode state(String handler, String container) throws IOException, InterruptedException {
        Path root = daemon.node().directory().resolve("state/oci").resolve(handler);
        Process process = new ProcessBuilder("runc", "--root", root.toString(), "state", container).start();
        JsonNode state = JsonMapper.shared().readTree(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor());
        return state;
    }

    @Test
    void onlyListedAnnotationsReachTheRuntimeAndNoneTakesThePlaceOfBerthsOwn() throws Exception {
        var special = pod("special");
        String container = daemon.pods().run(special, container(false));
        JsonNode told = state("special", container).path("annotations");
        assertEquals("1", told.path("of.pod/a").asString(""), told.toString());
        assertEquals("2", told.path("of.container").asString(""));
        assertEquals("1", told.path("from.base").asString(""));
        assertEquals(special.id(), told.path("io.kubernetes.cri.sandbox-id").asString(""));
        assertFalse(told.has("other") || told.has("of.pod/b/c"), told.toString());
        end(special);
        var plain = pod("plain");
        JsonNode untold = state("plain", daemon.pods().run(plain, container(false))).path("annotations");
        assertFalse(untold.has("of.pod/a") || untold.has("of.container") || untold.has("from.base"), untold.toString());
        end(plain);
    }

    @Test
    void containersStartFromTheHandlersBaseSpecification() {
        var special = pod("special");
        String container = daemon.pods().run(special, container(false));
        assertEquals("yes request 321\n", shell(container, "echo $FROM_BASE $OVER $(ulimit -n)"));
        assertTrue(shell(container, "grep ' /scratch tmpfs' /proc/mounts").contains("size=64k"));
        end(special);
        var plain = pod("plain");
        assertEquals("request\n", shell(daemon.pods().run(plain, container(false)), "echo $FROM_BASE$OVER"));
        end(plain);
    }

    @Test
    void aBaseSpecificationThatIsNotRightStopsTheStartAndNamesItsMistake() throws IOException {
        Files.writeString(base, "{\"process\": {\"env\": [\"NOTHING\"]}}");
        daemon.stop();
        String problem = assertThrows(RuntimeException.class, daemon::start).toString()
                + Files.readString(daemon.node().daemonLog());
        assertTrue(problem.contains("process.env[0] is not NAME=VALUE"), problem);
        Files.writeString(base, "{}");
        daemon.start();
    }

    @Test
    void aHandlerDecidesWhichDevicesPrivilegedContainersGet() {
        // null is in every container; kmsg is the node's.
        String make = "test -e /dev/kmsg && echo has; mknod /made c 1 11 && (: < /made) 2>/dev/null && echo opens";
        var plain = pod("plain");
        assertEquals("has\nopens\n", shell(daemon.pods().run(plain, container(true)), make));
        end(plain);
        var any = pod("any");
        assertEquals("opens\n", shell(daemon.pods().run(any, container(true)), make));
        end(any);
        var none = pod("special");
        assertEquals("", shell(daemon.pods().run(none, container(true)), make));
        end(none);
    }

    @Test
    void aHandlerHasAMonitorOfItsOwn() {
        var pod = pod("unwatched");
        Status refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().run(pod, container(false))).getStatus();
        assertTrue(refused.getDescription().contains("conmon ended early"), refused.getDescription());
        end(pod);
    }

    @Test
    void aClassOfResourceControlIsRefusedWhereTheNodeHasNone() {
        if (Files.isDirectory(Path.of("/sys/fs/resctrl/info"))) {
            System.err.println("skipped: this node has resource control");
            return;
        }
        var pod = pod("plain");
        var config = container(false).toBuilder().putAnnotations("rdt.resources.beta.kubernetes.io/container", "gold").build();
        Status refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().run(pod, config)).getStatus();
        assertEquals(Status.Code.FAILED_PRECONDITION, refused.getCode(), refused.getDescription());
        assertTrue(refused.getDescription().contains("use RDT class gold"), refused.getDescription());
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
