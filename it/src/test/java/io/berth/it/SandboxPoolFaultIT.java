package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxConfig;
import io.grpc.StatusRuntimeException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The daemon is killed, and its steps fail, while it makes sandboxes ahead, gives one to a pod, and takes away those of a
 * daemon that was killed before. Whatever happens, the node has what is on record and nothing beside.
 */
@Timeout(900)
class SandboxPoolFaultIT {

    private static final int SIZE = 2;
    private static final List<String> PREPARE = List.of("record", "namespaces", "network intent", "network");
    private static final List<String> DISCARD = List.of("network", "namespaces", "files", "record");

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("[runtime]\nsandbox_pool = " + SIZE + "\n");

    private Prepared prepared;

    @BeforeEach
    void image() {
        TestImages.busybox(daemon);
        prepared = new Prepared(daemon);
    }

    private PodClient.Pod run(String name) {
        return daemon.pods().run(PodClient.config(name, daemon.node().logs()));
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }

    private void awaitWhole(String after) throws InterruptedException {
        full(after);
        prepared.assertNothingBeside(Set.of(), after);
    }

    /** Those that are ready, and nothing is in the making. */
    private Set<String> full(String after) throws InterruptedException {
        prepared.await(SIZE, after);
        // The last one may still be at its last step.
        Thread.sleep(300);
        return prepared.ids();
    }

    @Test
    void aDaemonThatIsKilledWhileItMakesOneAheadLeavesNothing() throws Exception {
        for (String step : PREPARE) {
            String point = "after PrepareSandbox/" + step;
            awaitWhole("before " + point);
            daemon.faults().arm(point + " hold");
            PodClient.Pod pod = run("taker");
            daemon.faults().awaitHeld(point);
            daemon.kill9();
            daemon.faults().release(point);
            daemon.faults().arm();
            daemon.start();
            end(pod);
            awaitWhole("a kill " + point);
        }
    }

    @Test
    void aStepThatFailsWhileOneIsMadeAheadLeavesNothingAndKeepsNoPodFromRunning() throws Exception {
        for (String step : PREPARE) {
            String point = "after PrepareSandbox/" + step + " fail ENOSPC";
            awaitWhole("before " + point);
            daemon.faults().arm(point);
            PodClient.Pod taker = run("taker");
            daemon.faults().awaitAllHit(point);
            // It is not tried again for a minute: one is left, and the pods after it get theirs made.
            PodClient.Pod second = run("second");
            PodClient.Pod third = run("third");
            end(taker);
            end(second);
            end(third);
            prepared.assertNothingBeside(Set.of(), point);
            daemon.restart();
        }
    }

    @Test
    void aDaemonThatIsKilledWhileAPodTakesOneLeavesNothing() throws Exception {
        for (String step : steps()) {
            String point = "after RunPodSandbox/" + step;
            Set<String> before = full("before " + point);
            daemon.faults().arm(point + " hold");
            Thread call = Thread.ofVirtual().start(() -> {
                try {
                    run("cut");
                } catch (StatusRuntimeException ended) {
                    // The connection ends with the daemon.
                }
            });
            daemon.faults().awaitHeld(point);
            assertTrue(prepared.ids().size() < before.size(), "one is taken at " + point);
            daemon.kill9();
            call.join();
            daemon.faults().release(point);
            daemon.faults().arm();
            daemon.start();
            // One that was ready is a pod of which the client does not know, and finds in the list.
            daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()
                    .forEach(pod -> end(new PodClient.Pod(pod.getId(), PodSandboxConfig.getDefaultInstance())));
            end(run("cut"));
            awaitWhole("a kill " + point);
        }
    }

    @Test
    void aStepThatFailsWhileAPodTakesOneTakesItApart() throws Exception {
        for (String step : steps()) {
            String point = "before RunPodSandbox/" + step + " fail EIO";
            full("before " + point);
            daemon.faults().arm(point);
            assertThrows(StatusRuntimeException.class, () -> run("broken"), point);
            assertTrue(daemon.faults().begun().contains("RunPodSandbox/undo prepared"), point);
            daemon.faults().arm();
            prepared.assertNothingBeside(Set.of(), point);
            end(run("broken"));
            awaitWhole(point);
        }
    }

    private Set<String> steps() throws InterruptedException {
        full("the start");
        daemon.faults().arm();
        PodClient.Pod pod = run("steps");
        Set<String> steps = new LinkedHashSet<>();
        daemon.faults().begun().stream().filter(step -> step.startsWith("RunPodSandbox/"))
                .forEach(step -> steps.add(step.substring("RunPodSandbox/".length())));
        end(pod);
        assertTrue(steps.containsAll(Set.of("record", "namespaces", "files", "network", "hosts", "ready")), steps.toString());
        return steps;
    }

    @Test
    void aStartThatIsKilledWhileItTakesAwayOldOnesIsFollowedByOneThatDoes() throws Exception {
        awaitWhole("the start");
        daemon.kill9();
        for (String step : DISCARD) {
            String point = "after DiscardSandbox/" + step;
            daemon.faults().arm(point + " halt");
            RuntimeFault died = assertThrows(RuntimeFault.class, daemon::start, point);
            assertTrue(died.getMessage().contains("exit code 137"), died.getMessage());
        }
        daemon.faults().arm();
        daemon.start();
        awaitWhole("starts that were killed");
        assertEquals(SIZE, prepared.ids().size());
    }
}
