package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PullImageRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A network plugin or a registry that hangs, fails or prints garbage stops nobody else, and what it left is mended. */
@Timeout(120)
class BrokenPluginFaultIT {

    private static final String BRIDGE = "cnif" + ProcessHandle.current().pid() % 10_000;
    private final Path directory = FreshDirectory.named("berth-cni");

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withOptions("""
            [runtime]
            network = "cni"
            [runtime.cni]
            conf_dir = "%1$s/net.d"
            bin_dirs = ["%1$s/bin", "/usr/lib/cni", "/opt/cni/bin"]
            [images]
            image_pull_progress_timeout = "2s"
            """.formatted(directory), "-Dberth.cni.limit.millis=2000");

    private BrokenProgram plugin;

    @BeforeEach
    void configure() throws IOException {
        plugin = BrokenProgram.plugin(directory.resolve("bin"));
        Files.createDirectories(directory.resolve("net.d"));
        Files.writeString(directory.resolve("net.d/10-test.conflist"), """
                {"cniVersion": "1.0.0", "name": "fault", "plugins": [
                  {"type": "bridge", "bridge": "%s", "isGateway": true, "ipam": {"type": "host-local",
                   "dataDir": "%s/ipam", "ranges": [[{"subnet": "10.199.8.0/24"}]]}}]}
                """.formatted(BRIDGE, directory));
        TestImages.busybox(daemon);
    }

    @AfterEach
    void removeBridge() throws Exception {
        new ProcessBuilder("ip", "link", "del", BRIDGE).start().waitFor(10, TimeUnit.SECONDS);
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(path);
            }
        }
    }

    private List<String> addresses() throws IOException {
        Path kept = directory.resolve("ipam/fault");
        if (!Files.isDirectory(kept)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(kept)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("10.")).toList();
        }
    }

    private PodClient.Pod run(String name) {
        return daemon.pods().run(PodClient.config(name, daemon.node().logs()));
    }

    /** A pod without the plugin, and lists; with a deadline that only a hang misses. */
    private void assertOthersWork() {
        var runtime = daemon.connection().runtime().withDeadlineAfter(10, TimeUnit.SECONDS);
        runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance());
        runtime.listContainers(ListContainersRequest.getDefaultInstance());
        daemon.connection().images().withDeadlineAfter(10, TimeUnit.SECONDS).listImages(ListImagesRequest.getDefaultInstance());
        var config = PodClient.config("other", daemon.node().logs()).toBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().setNetwork(NamespaceMode.NODE);
        var pod = daemon.pods().run(config.build());
        var container = PodClient.container("c", "sh", "-c", "exit 4").toBuilder();
        container.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().setNetwork(NamespaceMode.NODE);
        String id = daemon.pods().run(pod, container.build());
        assertEquals(4, daemon.pods().awaitExit(id, Duration.ofSeconds(20)).getExitCode());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }

    private static StatusRuntimeException failure(CompletableFuture<?> call) {
        var failed = assertThrows(ExecutionException.class, () -> call.get(60, TimeUnit.SECONDS));
        return (StatusRuntimeException) failed.getCause();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hang ADD", "fail ADD", "garbage ADD"})
    void onesBrokenAddIsNamedAndLeavesNothing(String mode) throws IOException {
        plugin.does(mode);
        var running = CompletableFuture.supplyAsync(() -> run("pod"));
        assertOthersWork();
        StatusRuntimeException told = failure(running);
        assertTrue(told.getMessage().contains("bridge"), told.getMessage());
        assertTrue(told.getMessage().length() < 10_000, "the garbage is passed on");
        plugin.works();
        var pod = run("pod");
        assertEquals(1, addresses().size());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        assertEquals(List.of(), addresses());
        daemon.assertNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hang DEL", "fail DEL", "garbage DEL"})
    void aPodWhoseNetworkCannotBeTakenBackIsNotReadyAndIsStoppedByTheReconciler(String mode) throws IOException {
        var pod = run("pod");
        plugin.does(mode);
        var stopping = CompletableFuture.runAsync(() -> daemon.pods().stop(pod));
        assertOthersWork();
        assertTrue(failure(stopping).getMessage().contains("bridge"));
        assertEquals(List.of(PodSandboxState.SANDBOX_NOTREADY), daemon.connection().runtime()
                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().stream()
                .map(one -> one.getState()).toList());
        var told = daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        assertTrue(told.getFindingsList().stream().anyMatch(finding -> finding.getSubject().equals(pod.id())
                && finding.getError().contains("bridge")), told.toString());
        plugin.works();
        daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        assertEquals(List.of(), addresses());
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aRegistryThatNeverAnswersEndsItsPullAndNothingElse() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            String image = "127.0.0.1:" + silent.getLocalPort() + "/silent/image:1";
            var pulling = CompletableFuture.runAsync(() -> daemon.connection().images().pullImage(
                    PullImageRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build()));
            assertOthersWork();
            StatusRuntimeException told = failure(pulling);
            assertTrue(told.getStatus().getCode() == Status.Code.UNAVAILABLE
                    || told.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED, told.getMessage());
            assertTrue(told.getMessage().contains("127.0.0.1"), told.getMessage());
        }
        daemon.assertNothingLeft();
    }
}
