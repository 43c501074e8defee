package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListImagesRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.ReopenContainerLogRequest;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * An upgrade under running containers, and the way back: an earlier build, made from this tree's history, and today's take
 * turns on the same node. Containers live on, ends that fell between are told, and each can remove what the other made.
 */
@Timeout(1800)
class UpgradeFaultIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private static Path directory;

    private static Path earlier;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @BeforeAll
    static void build() throws Exception {
        earlier = EarlierBuild.in(directory);
    }

    private PodClient.Pod pod(String name) {
        return daemon.pods().run(PodClient.config(name, daemon.node().logs()));
    }

    private String running(PodClient.Pod pod, String name) {
        return daemon.pods().run(pod, PodClient.container(name, "sh", "-c", "while :; do echo tick; sleep 0.2; done"));
    }

    /** Ends by itself, with a code of its own, as soon as the file is there. */
    private String ending(PodClient.Pod pod, String name, Path signal) {
        return daemon.pods().run(pod, PodClient.container(name, "sh", "-c",
                "while [ ! -e /signal/end ]; do sleep 0.1; done; echo the end; exit 7").toBuilder()
                .addMounts(Mount.newBuilder().setHostPath(signal.toString()).setContainerPath("/signal")).build());
    }

    private void assertAlive(PodClient.Pod pod, String container, String name) throws Exception {
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals("inside\n", daemon.pods().exec(container, "echo", "inside").getStdout().toStringUtf8());
        Path log = daemon.node().logs().resolve(pod.config().getMetadata().getName()).resolve(name + ".log");
        Files.move(log, log.resolveSibling(name + ".log." + System.nanoTime()));
        daemon.connection().runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId(container).build());
        for (int i = 0; i < 100 && (!Files.exists(log) || Files.size(log) == 0); i++) {
            Thread.sleep(50);
        }
        assertTrue(Files.readString(log).contains("tick"), "the log goes on");
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }

    private List<PodSandboxState> states() {
        return daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().stream()
                .map(PodSandbox::getState).sorted().toList();
    }

    @Test
    void todaysBuildGoesOnWithWhatAnEarlierOneMadeAndTheEarlierOneWithWhatTodaysMade() throws Exception {
        daemon.stop();
        daemon.startBy(earlier);
        String image = TestImages.busybox(daemon);
        Path signal = Files.createDirectory(daemon.node().directory().resolve("signal"));
        PodClient.Pod first = pod("first");
        String firstRunning = running(first, "c");
        String firstEnding = ending(first, "ends", signal);
        PodClient.Pod stopped = pod("stopped");
        running(stopped, "c");
        daemon.pods().stop(stopped);
        daemon.kill9();

        Files.createFile(signal.resolve("end"));
        daemon.start();
        assertEquals(List.of(PodSandboxState.SANDBOX_READY, PodSandboxState.SANDBOX_NOTREADY), states());
        assertAlive(first, firstRunning, "c");
        assertEquals(7, daemon.pods().awaitExit(firstEnding, PATIENCE).getExitCode());
        assertEquals(image, daemon.connection().images().listImages(ListImagesRequest.getDefaultInstance()).getImages(0).getId());
        String added = running(first, "added");
        PodClient.Pod second = pod("second");
        String secondRunning = running(second, "c");
        Files.delete(signal.resolve("end"));
        String secondEnding = ending(second, "ends", signal);
        daemon.pods().remove(stopped);
        daemon.kill9();

        Files.createFile(signal.resolve("end"));
        daemon.startBy(earlier);
        assertEquals(List.of(PodSandboxState.SANDBOX_READY, PodSandboxState.SANDBOX_READY), states());
        assertAlive(first, firstRunning, "c");
        assertAlive(first, added, "added");
        assertAlive(second, secondRunning, "c");
        assertEquals(7, daemon.pods().awaitExit(secondEnding, PATIENCE).getExitCode());
        end(second);
        daemon.stop();

        daemon.start();
        assertAlive(first, added, "added");
        end(first);
        daemon.assertNothingLeft();
        daemon.connection().images().removeImage(
                RemoveImageRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build());
        assertThrows(StatusRuntimeException.class, () -> daemon.pods().status(added));
    }
}
