package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.RemoveContainerRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An OCI runtime that hangs, fails or prints garbage harms only the container that it was called for, and that one heals. */
@Timeout(180)
class BrokenRuntimeFaultIT {

    private static final Path DIRECTORY = Path.of(System.getProperty("java.io.tmpdir"),
            "berth-broken-" + ProcessHandle.current().pid());

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withOptions("""
            [runtime]
            default_runtime_name = "plain"
            enable_criu_support = true
            [runtime.runtimes.plain]
            runtime_path = "runc"
            [runtime.runtimes.broken]
            runtime_path = "%s/runtime"
            """.formatted(DIRECTORY), "-Dberth.runtime.limit.millis=2000", "-Dberth.create.limit.millis=2000");

    // Before the daemon, which looks for its runtimes at the start.
    private static final BrokenProgram RUNTIME = BrokenProgram.runtime(DIRECTORY);

    /** What the broken runtime is while it hangs. */
    private static final String HANGING = "sleep 987";

    private PodClient.Pod pod;

    @org.junit.jupiter.api.AfterAll
    static void removeScript() throws Exception {
        for (String name : List.of("runtime", "runtime.mode")) {
            java.nio.file.Files.deleteIfExists(DIRECTORY.resolve(name));
        }
        java.nio.file.Files.deleteIfExists(DIRECTORY);
    }

    @BeforeEach
    void aPodOfTheBrokenRuntime() {
        RUNTIME.works();
        TestImages.busybox(daemon);
        var config = PodClient.config("broken", daemon.node().logs());
        pod = new PodClient.Pod(daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder()
                .setConfig(config).setRuntimeHandler("broken").build()).getPodSandboxId(), config);
    }

    private void end() {
        RUNTIME.works();
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    /** Lists, status and a whole other pod; each with a deadline that only a hang misses. */
    private void assertOthersWork() {
        var runtime = daemon.connection().runtime().withDeadlineAfter(10, TimeUnit.SECONDS);
        runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance());
        runtime.listContainers(ListContainersRequest.getDefaultInstance());
        runtime.status(StatusRequest.getDefaultInstance());
        var other = daemon.pods().run(PodClient.config("other", daemon.node().logs()));
        String container = daemon.pods().run(other, PodClient.container("c", "sh", "-c", "exit 4"));
        assertEquals(4, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        daemon.pods().stop(other);
        daemon.pods().remove(other);
    }

    private static StatusRuntimeException failure(CompletableFuture<?> call) {
        var failed = assertThrows(ExecutionException.class, () -> call.get(60, TimeUnit.SECONDS));
        return (StatusRuntimeException) failed.getCause();
    }

    @Test
    void oneThatHangsAtCreateIsEndedAndTheRetrySucceeds() {
        RUNTIME.does("hang create");
        var creating = CompletableFuture.supplyAsync(() -> daemon.pods().create(pod, PodClient.container("c", "sleep", "1000")));
        assertOthersWork();
        StatusRuntimeException told = failure(creating);
        assertEquals(Status.Code.DEADLINE_EXCEEDED, told.getStatus().getCode(), told.getMessage());
        assertTrue(told.getMessage().contains("runtime"), told.getMessage());
        RUNTIME.works();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        end();
    }

    @Test
    void oneThatHangsAtStartEndsTheContainerWithTheReason() {
        String container = daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"));
        RUNTIME.does("hang start");
        var starting = CompletableFuture.runAsync(() -> daemon.pods().start(container));
        assertOthersWork();
        assertEquals(Status.Code.DEADLINE_EXCEEDED, failure(starting).getStatus().getCode());
        var status = daemon.pods().awaitExit(container, Duration.ofSeconds(10));
        assertTrue(status.getExitCode() != 0 && status.getMessage().contains("took longer"), status.toString());
        end();
    }

    @Test
    void oneThatHangsAtACheckpointIsEndedInTheTimeOfTheRequestAndTheContainerGoesOn() {
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "while true; do sleep 0.1; echo x; done"));
        RUNTIME.does("hang checkpoint");
        Path archive = DIRECTORY.resolve("c.tar");
        Status told = assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime().checkpointContainer(
                CheckpointContainerRequest.newBuilder().setContainerId(container).setLocation(archive.toString())
                        .setTimeout(1).build())).getStatus();
        assertEquals(Status.Code.DEADLINE_EXCEEDED, told.getCode(), told.getDescription());
        assertTrue(told.getDescription().contains("1000 ms"), told.getDescription());
        assertFalse(java.nio.file.Files.exists(archive));
        assertFalse(java.nio.file.Files.exists(daemon.node().root().resolve("checkpoints").resolve(container)));
        assertEquals("up\n", daemon.pods().exec(container, "echo", "up").getStdout().toStringUtf8());
        int said = daemon.log("broken", "c").length();
        assertEquals(0, daemon.pods().exec(container, "sleep", "1").getExitCode());
        assertTrue(daemon.log("broken", "c").length() > said, "it stands still");
        end();
    }

    @Test
    void whatCannotBeTakenBackIsToldAndTakenBackAsSoonAsThatIsPossible() {
        RUNTIME.does("hang create delete");
        var creating = CompletableFuture.supplyAsync(() -> daemon.pods().create(pod, PodClient.container("c", "sleep", "1000")));
        assertOthersWork();
        assertEquals(Status.Code.DEADLINE_EXCEEDED, failure(creating).getStatus().getCode());

        var told = daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        var stuck = told.getFindingsList().stream().filter(finding -> finding.getKind().equals("container")
                && finding.getError().contains("took longer")).findFirst();
        assertTrue(stuck.isPresent(), told.toString());
        RUNTIME.works();
        var mended = daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        assertTrue(mended.getFindingsList().stream().anyMatch(finding ->
                finding.getSubject().equals(stuck.get().getSubject()) && finding.getError().isEmpty()), mended.toString());
        assertEquals(java.util.Set.of(), java.util.Set.of(daemon.node().root().resolve("records/containers").toFile().list()));
        end();
    }

    /** More than there are threads for system calls. */
    @Test
    void manyCommandsThatHangStopNoOtherPodAndEndWithTheirClients() throws Exception {
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        RUNTIME.does("hang exec");
        List<CompletableFuture<Void>> hanging = new ArrayList<>();
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 150; i++) {
                hanging.add(CompletableFuture.runAsync(() -> daemon.connection().runtime()
                        .withDeadlineAfter(15, TimeUnit.SECONDS).execSync(ExecSyncRequest.newBuilder()
                                .setContainerId(container).addCmd("true").build()), threads));
            }
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (running(HANGING) < 150 && System.nanoTime() < deadline) {
                Thread.sleep(50);
            }
            assertTrue(running(HANGING) > 128, "only " + running(HANGING) + " hang at once");
            assertOthersWork();
            for (var call : hanging) {
                assertEquals(Status.Code.DEADLINE_EXCEEDED, failure(call).getStatus().getCode());
            }
        }
        RUNTIME.works();
        assertEquals("a\n", daemon.pods().exec(container, "echo", "a").getStdout().toStringUtf8());
        end();
        // A client that left is not told: its command ends a moment later.
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (running(HANGING) > 0) {
            assertTrue(System.nanoTime() < deadline, "commands without a client run on");
            Thread.sleep(50);
        }
    }

    private static long running(String command) {
        return ProcessHandle.allProcesses().filter(process -> process.info().commandLine().orElse("").endsWith(command)).count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"fail create", "garbage create", "fail start", "garbage start", "fail exec", "garbage exec",
            "fail delete", "garbage delete", "fail state", "garbage state", "fail features", "garbage features"})
    void whatItBreaksIsToldAndHealsWithIt(String mode) {
        RUNTIME.does(mode);
        String container = "";
        try {
            container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
            daemon.pods().exec(container, "true");
            daemon.connection().runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container).build());
        } catch (StatusRuntimeException told) {
            assertFalse(told.getMessage().isBlank());
            assertFalse(told.getMessage().contains("Exception"), told.getMessage());
            assertTrue(told.getMessage().length() < 10_000, "the garbage of " + mode + " is passed on");
        }
        assertOthersWork();
        RUNTIME.works();
        String healthy = daemon.pods().run(pod, PodClient.container("again", "sleep", "1000"));
        assertEquals("a\n", daemon.pods().exec(healthy, "echo", "a").getStdout().toStringUtf8());
        end();
    }
}
