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

/** The main job on real parts, in its shortest form. */
@Timeout(60)
class PodSmokeIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @Test
    void aPodRunsAContainerWhoseLogAndExitCodeAreKept() {
        TestImages.busybox(daemon);
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("smoke", daemon.node().logs()));
        String container = pods.run(pod, PodClient.container("main", "sh", "-c", "echo out; echo err >&2; exit 7"));

        ContainerStatus ended = pods.awaitExit(container, Duration.ofSeconds(20));
        assertEquals(7, ended.getExitCode());
        assertTrue(ended.getStartedAt() <= ended.getFinishedAt(), "ended before it started");
        List<String> log = daemon.log("smoke", "main").lines().map(line -> line.substring(line.indexOf(' ') + 1)).sorted()
                .toList();
        assertEquals(List.of("stderr F err", "stdout F out"), log);

        daemon.restart();
        assertEquals(7, daemon.pods().status(container).getExitCode());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
