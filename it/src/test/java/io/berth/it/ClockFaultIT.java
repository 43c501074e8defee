package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The node's clock is set while the daemon runs, years ahead and back. The daemon gets another answer to "what time is it"
 * from a preloaded library, libfaketime; the files that it and the monitors write keep the kernel's times, as the files
 * that were there before a jump do.
 */
@Timeout(120)
class ClockFaultIT {

    private static final Path LIBRARY = Path.of("/usr/lib/" + System.getProperty("os.arch").replace("amd64", "x86_64")
            + "-linux-gnu/faketime/libfaketimeMT.so.1");
    private static final Path OFFSET = temporary();
    private static final String STUBBORN = "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done";

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withEnvironment(!Files.exists(LIBRARY) ? Map.of() : Map.of(
            "LD_PRELOAD", LIBRARY.toString(), "FAKETIME_TIMESTAMP_FILE", OFFSET.toString(), "FAKETIME_NO_CACHE", "1",
            "FAKETIME_DONT_FAKE_MONOTONIC", "1", "NO_FAKE_STAT", "1"));

    private static Path temporary() {
        try {
            return Files.writeString(Files.createTempFile("berth-clock", ""), "+0\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeEach
    void image() throws IOException {
        assumeTrue(Files.exists(LIBRARY), "needs the package libfaketime");
        set("+0");
        TestImages.busybox(daemon);
    }

    @AfterAll
    static void removeOffset() throws IOException {
        Files.delete(OFFSET);
    }

    private static void set(String offset) throws IOException {
        Path beside = OFFSET.resolveSibling(OFFSET.getFileName() + ".new");
        Files.writeString(beside, offset + "\n");
        Files.move(beside, OFFSET, StandardCopyOption.ATOMIC_MOVE);
    }

    private void awaitLog(String container, String words) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!daemon.log("pod", container).contains(words)) {
            assertTrue(System.nanoTime() < deadline, container + " has not said " + words);
            Thread.sleep(10);
        }
    }

    private void stop(String container, long graceSeconds) {
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container)
                .setTimeout(graceSeconds).build());
    }

    private String answer(String url) throws IOException {
        try (ChannelClient client = ChannelClient.connect(URI.create(url), List.of("v5.channel.k8s.io"),
                SocketFactory.getDefault())) {
            StringBuilder output = new StringBuilder();
            for (var message = client.receive(); message.isPresent(); message = client.receive()) {
                if (message.get().channel() == ChannelClient.STDOUT) {
                    output.append(new String(message.get().payload(), StandardCharsets.UTF_8));
                }
            }
            return output.toString();
        }
    }

    private void reconcile() {
        var report = daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
        assertEquals(List.of(), report.getFindingsList());
        assertTrue(daemon.connection().images().imageStatus(ImageStatusRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(BusyboxImage.NAME)).build()).hasImage());
    }

    @Test
    void aJumpAheadEndsNoWaitAndMakesNothingOld() throws Exception {
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String stubborn = daemon.pods().run(pod, PodClient.container("stubborn", "sh", "-c", STUBBORN));
        awaitLog("stubborn", "up");
        var stopping = CompletableFuture.runAsync(() -> stop(stubborn, 600), Thread::startVirtualThread);
        awaitLog("stubborn", "asked");
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(stubborn)
                .addAllCmd(List.of("echo", "done")).setStdout(true).build()).getUrl();

        set("+3650d");
        // The token was for a minute, the stop for ten.
        assertEquals("done\n", answer(url));
        for (int i = 0; i < 5; i++) {
            assertEquals("a\n", daemon.pods().exec(stubborn, "echo", "a").getStdout().toStringUtf8());
            reconcile();
        }
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(stubborn).getState());
        assertTrue(!stopping.isDone(), "the stop has not waited");

        String later = daemon.pods().run(pod, PodClient.container("later", "sh", "-c", STUBBORN));
        awaitLog("later", "up");
        set("+0");
        for (String container : List.of(stubborn, later)) {
            stop(container, 0);
            var status = daemon.pods().status(container);
            assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
            assertTrue(status.getFinishedAt() >= status.getStartedAt(), "ended before it started: " + status);
        }
        stopping.get(30, TimeUnit.SECONDS);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aJumpBackKeepsNoWaitFromItsEnd() throws Exception {
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String stubborn = daemon.pods().run(pod, PodClient.container("stubborn", "sh", "-c", STUBBORN));
        awaitLog("stubborn", "up");
        var stopping = CompletableFuture.runAsync(() -> stop(stubborn, 3), Thread::startVirtualThread);
        String other = daemon.pods().run(pod, PodClient.container("other", "sh", "-c", "echo up; sleep 1000"));
        var running = CompletableFuture.supplyAsync(() -> daemon.connection().runtime().execSync(ExecSyncRequest.newBuilder()
                .setContainerId(other).addAllCmd(List.of("sh", "-c", "echo asked > /proc/1/fd/1; sleep 1000")).setTimeout(3)
                .build()), Thread::startVirtualThread);
        awaitLog("stubborn", "asked");
        awaitLog("other", "asked");

        set("-3650d");
        stopping.get(30, TimeUnit.SECONDS);
        assertEquals(ContainerState.CONTAINER_EXITED, daemon.pods().status(stubborn).getState());
        var ended = assertThrows(java.util.concurrent.ExecutionException.class, () -> running.get(30, TimeUnit.SECONDS));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, ((StatusRuntimeException) ended.getCause()).getStatus().getCode());

        daemon.restart();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(other).getState());
        assertEquals("a\n", daemon.pods().exec(other, "echo", "a").getStdout().toStringUtf8());
        reconcile();
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
