package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListContainersRequest;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The daemon killed at each step of a checkpoint and a restore. {@link StepFaultIT} does not know these steps: where CRIU does
 * not work nobody comes to them.
 */
@Timeout(600)
class RestoreFaultIT {

    private static final String COUNTER = "i=0; while true; do i=$((i+1)); echo $i; echo $i > /count; sleep 0.05; done";

    @TempDir
    private Path directory;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("""
            [runtime]
            enable_criu_support = true
            default_runtime_name = "runc"
            sandbox_pool = 0
            """);

    private void killAt(String point, Runnable call) throws InterruptedException {
        daemon.faults().arm("after " + point + " hold");
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                call.run();
            } catch (StatusRuntimeException cut) {
                // The daemon was killed.
                return;
            }
        });
        daemon.faults().awaitHeld("after " + point);
        daemon.kill9();
        caller.join();
        daemon.faults().release("after " + point);
        daemon.faults().arm();
        daemon.start();
    }

    private int count(String container) {
        String text = daemon.pods().exec(container, "cat", "/count").getStdout().toStringUtf8().strip();
        return text.isEmpty() ? 0 : Integer.parseInt(text);
    }

    private void awaitCount(String container, int least) throws InterruptedException {
        for (long deadline = System.nanoTime() + 30_000_000_000L; count(container) < least; Thread.sleep(20)) {
            assertTrue(System.nanoTime() < deadline, "it stands still at " + count(container));
        }
    }

    private void checkpoint(String container, Path archive) {
        daemon.connection().runtime().checkpointContainer(CheckpointContainerRequest.newBuilder().setContainerId(container)
                .setLocation(archive.toString()).setTimeout(60).build());
    }

    private static ContainerConfig from(Path archive) {
        return PodClient.container("again").toBuilder()
                .setImage(ImageSpec.newBuilder().setImage(archive.toString())).build();
    }

    @Test
    void theLogOfACheckpointEndsWhereItsMemoryDoes() throws Exception {
        InstalledCriu.require();
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String original = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", COUNTER));
        awaitCount(original, 3);
        Path archive = directory.resolve("c.tar");
        String thawed = "after CheckpointContainer/thawed";
        daemon.faults().arm(thawed + " hold");
        Thread caller = Thread.ofPlatform().start(() -> checkpoint(original, archive));
        daemon.faults().awaitHeld(thawed);
        awaitCount(original, count(original) + 5);
        daemon.faults().release(thawed);
        caller.join();
        daemon.faults().arm();
        String again = daemon.pods().run(pod, from(archive));
        awaitCount(again, count(again) + 3);
        List<String> said = daemon.log("pod", "again").lines().map(line -> line.substring(line.lastIndexOf(' ') + 1)).toList();
        for (int i = 0; i < said.size(); i++) {
            assertEquals(Integer.toString(i + 1), said.get(i), "the original said it again after the checkpoint");
        }
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aDaemonThatIsKilledAtAnyStepLeavesNothingHalfDone() throws Exception {
        InstalledCriu.require();
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String original = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", COUNTER));
        awaitCount(original, 3);
        Path archive = directory.resolve("c.tar");
        checkpoint(original, archive);
        killAt("CheckpointContainer/frozen", () -> checkpoint(original, archive));
        awaitCount(original, count(original) + 3);

        ContainerConfig again = from(archive);
        for (String step : List.of("record", "checkpoint", "root filesystem", "bundle", "log")) {
            killAt("CreateContainer/" + step, () -> daemon.pods().create(pod, again));
            assertEquals(1, daemon.connection().runtime().listContainers(ListContainersRequest.getDefaultInstance())
                    .getContainersCount(), "after " + step);
            try (var left = Files.list(daemon.node().root().resolve("restores"))) {
                assertEquals(List.of(), left.toList(), "after " + step);
            } catch (java.nio.file.NoSuchFileException none) {
                assertEquals("record", step);
            }
        }
        int attempt = 0;
        for (String step : List.of("restoring", "runtime restore", "pod's namespaces", "restored", "started")) {
            ContainerConfig.Builder next = again.toBuilder().setLogPath("again-" + attempt + ".log");
            next.getMetadataBuilder().setAttempt(attempt++);
            String container = daemon.pods().create(pod, next.build());
            killAt("StartContainer/" + step, () -> daemon.pods().start(container));
            boolean runs = !step.equals("restoring");
            assertEquals(runs ? ContainerState.CONTAINER_RUNNING : ContainerState.CONTAINER_EXITED,
                    daemon.pods().status(container).getState(), "after " + step);
            if (runs) {
                awaitCount(container, count(container) + 3);
            }
            assertFalse(Files.exists(daemon.node().root().resolve("restores").resolve(container)), "after " + step);
        }
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
