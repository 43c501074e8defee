package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;

/** A pod that stands by while others are broken: it must never notice. */
final class Witness {

    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private final TestDaemon daemon;
    private final PodClient.Pod pod;
    private final String container;
    private final long startedAt;
    private long ticks;

    private Witness(TestDaemon daemon, PodClient.Pod pod, String container) {
        this.daemon = daemon;
        this.pod = pod;
        this.container = container;
        this.startedAt = daemon.pods().status(container).getStartedAt();
    }

    static Witness start(TestDaemon daemon) {
        PodClient.Pod pod = daemon.pods().run(PodClient.config("witness", daemon.node().logs()));
        return new Witness(daemon, pod, daemon.pods().run(pod, PodClient.container("ticking", "sh", "-c",
                "i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.1; done")));
    }

    String container() {
        return container;
    }

    PodClient.Pod pod() {
        return pod;
    }

    /** It runs since the same moment, can be worked with, and its log has gone on. */
    void assertUnharmed(String after) throws InterruptedException {
        var status = daemon.pods().status(container);
        assertEquals(ContainerState.CONTAINER_RUNNING, status.getState(), "the witness after " + after);
        assertEquals(startedAt, status.getStartedAt(), "the witness after " + after);
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        long now = daemon.log("witness", "ticking").lines().count();
        while (now <= ticks && System.nanoTime() < deadline) {
            Thread.sleep(10);
            now = daemon.log("witness", "ticking").lines().count();
        }
        assertTrue(now > ticks, "the witness' log stands still after " + after);
        ticks = now;
    }

    /** No line of its log is lost, doubled or torn. */
    void assertLogWhole() {
        int expected = 0;
        for (String line : daemon.log("witness", "ticking").lines().toList()) {
            assertEquals("stdout F tick " + expected, line.substring(line.indexOf(' ') + 1));
            expected++;
        }
        assertTrue(expected > 0);
    }

    void end() {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }
}
