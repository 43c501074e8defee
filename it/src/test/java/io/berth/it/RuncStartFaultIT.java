package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Berth starts a program that runc has prepared without running runc; runc and a later Berth see what they would see else. */
@Timeout(120)
class RuncStartFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            network = "builtin"
            default_runtime_name = "runc"
            """);

    private Path state(String container) {
        return daemon.node().state().resolve("oci/runc").resolve(container);
    }

    private String toldByRunc(String container) {
        return Command.of(List.of("runc", "--root=" + state(container).getParent(), "state", container),
                Duration.ofSeconds(20)).run().stdoutText();
    }

    @Test
    void runcKnowsThatTheProgramRuns() {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"));
        assertTrue(Files.exists(state(container).resolve("exec.fifo")), "runc has changed: it is started the slow way");
        assertTrue(toldByRunc(container).contains("\"created\""));
        daemon.pods().start(container);
        assertTrue(toldByRunc(container).contains("\"running\""));
        assertFalse(Files.exists(state(container).resolve("exec.fifo")));
        end(pod);
    }

    @Test
    void aProgramThatBeganJustBeforeTheDaemonWasKilledIsFoundRunning() throws IOException {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"));
        daemon.kill9();
        assertEquals("0", new String(Files.readAllBytes(state(container).resolve("exec.fifo"))));
        daemon.start();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        end(pod);
    }

    @Test
    void aSecondStartOfAProgramThatHasBegunSucceeds() throws IOException {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"));
        Files.readAllBytes(state(container).resolve("exec.fifo"));
        daemon.pods().start(container);
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertTrue(toldByRunc(container).contains("\"running\""));
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
