package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods whose containers run behind containerd's shim for runc. */
@Timeout(120)
class ShimIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            default_runtime_name = "shim"
            [runtime.runtimes.shim]
            runtime_type = "io.containerd.runc.v2"
            """);

    private PodClient.Pod pod() {
        TestImages.busybox(daemon);
        return daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aPodRunsAContainerWhoseLogAndExitCodeAreKept() {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("main", "sh", "-c", "echo out; echo err >&2; printf half; exit 7"));
        ContainerStatus ended = daemon.pods().awaitExit(container, Duration.ofSeconds(20));
        assertEquals(7, ended.getExitCode());
        assertTrue(ended.getStartedAt() <= ended.getFinishedAt(), "ended before it started");
        List<String> log = daemon.log("pod", "main").lines().map(line -> line.substring(line.indexOf(' ') + 1)).sorted().toList();
        assertEquals(List.of("stderr F err", "stdout F out", "stdout P half"), log);
        end(pod);
    }
}
