package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cli.scratch.PodClient;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** With {@code runtime.sandbox_pool = 0} nothing is made ahead. */
@Timeout(120)
class SandboxPoolOffIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("[runtime]\nsandbox_pool = 0\n");

    @Test
    void podsAreMadeWhenTheyComeAndNothingBefore() throws Exception {
        TestImages.busybox(daemon);
        daemon.faults().arm();
        PodClient.Pod pod = daemon.pods().run(PodClient.config("alone", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertEquals("alone", daemon.pods().exec(container, "hostname").getStdout().toStringUtf8().strip());
        // Longer than the pool waits before it makes one.
        Thread.sleep(1000);
        assertEquals(Set.of(), new Prepared(daemon).ids());
        assertEquals(0, daemon.faults().begun().stream().filter(step -> step.startsWith("PrepareSandbox")).count());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
