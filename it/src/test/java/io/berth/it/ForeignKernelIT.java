package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What Berth does for pods on another kernel than the node's, as far as that can be seen with containerd's shim for runc in
 * the place of gVisor's.
 */
@Timeout(120)
class ForeignKernelIT extends HandlerPods {

    ForeignKernelIT() {
        super("""
            [runtime]
            default_runtime_name = "foreign"
            [runtime.runtimes.foreign]
            runtime_type = "io.containerd.runsc.v1"
            runtime_path = "containerd-shim-runc-v2"
            """);
    }

    /** The first may fail: Debian's shim cannot do without a listener for its events, which gVisor's can. */
    @Override
    PodClient.Pod pod() {
        try {
            return super.pod();
        } catch (StatusRuntimeException first) {
            assertEquals(Status.Code.UNAVAILABLE, first.getStatus().getCode(), first.getMessage());
            assertTrue(first.getMessage().contains("run the pod again"), first.getMessage());
            return super.pod();
        }
    }

    // On another kernel only the command itself can be ended.
    @Override
    boolean endsWhatCommandsStart() {
        return false;
    }

    @Override
    void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private JsonNode specification(String id) throws Exception {
        Path bundle = daemon.node().state().resolve("containers").resolve(id);
        return JsonMapper.shared().readTree(Files.readAllBytes(bundle.resolve("config.json")));
    }

    @Test
    void theContainerOfThePodNamesItAndIsNotTheLeastOfTheNode() throws Exception {
        PodClient.Pod pod = pod();
        assertEquals("pod", specification(pod.id()).path("hostname").asString(""));
        assertTrue(specification(pod.id()).path("linux").path("resources").path("cpu").isMissingNode());
        end(pod);
    }

    @Test
    void aPortIsForwardedThatIsNotOnTheLoopbackOfItsNamespace() throws Exception {
        PodClient.Pod pod = pod();
        String address = daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getNetwork().getIp();
        String web = daemon.pods().run(pod, PodClient.container("web", "httpd", "-f", "-p", address + ":8080", "-h", "/www"));
        await("the server", () -> out(web, "cat", "/proc/net/tcp").contains(":1F90 "));
        assertThrows(AssertionError.class, () -> out(web, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"));
        assertEquals("a page for tests\n", forwardedPage(pod));
        end(pod);
    }

    @Test
    void useIsMeasured() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "while :; do :; done"));
        var stats = ContainerStatsRequest.newBuilder().setContainerId(container).build();
        await("processor time", () -> daemon.connection().runtime().containerStats(stats).getStats().getCpu()
                .getUsageCoreNanoSeconds().getValue() > 50_000_000);
        end(pod);
    }
}
