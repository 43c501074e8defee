package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ReconciliationRequest;
import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The removal of a pod is cut or fails, and its client never asks again: what was begun is finished by the next start or
 * the next reconciliation.
 */
@Timeout(240)
class RemovalFaultIT {

    private static final AtomicInteger NUMBER = new AtomicInteger();

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("");

    private PodClient.Pod stoppedPod() {
        PodClient.Pod pod = daemon.pods().run(PodClient.config("p" + NUMBER.incrementAndGet(), daemon.node().logs()));
        daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        daemon.pods().stop(pod);
        return pod;
    }

    private Set<String> steps() {
        PodClient.Pod pod = stoppedPod();
        daemon.faults().arm();
        daemon.pods().remove(pod);
        Set<String> steps = daemon.faults().begun().stream().filter(step -> step.startsWith("RemovePodSandbox/"))
                .collect(Collectors.toSet());
        assertTrue(steps.size() >= 5, steps.toString());
        return steps;
    }

    private void assertGone(NodeContents before, String after) throws InterruptedException {
        var runtime = daemon.connection().runtime();
        assertEquals(List.of(), runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList(), after);
        assertEquals(List.of(), runtime.listContainers(ListContainersRequest.getDefaultInstance()).getContainersList(), after);
        before.assertSame(daemon, after);
    }

    @Test
    void aRemovalThatWasCutIsFinishedAtTheNextStart() throws Exception {
        TestImages.busybox(daemon);
        Set<String> steps = steps();
        NodeContents before = NodeContents.of(daemon);
        for (String step : steps) {
            String point = "after " + step;
            PodClient.Pod pod = stoppedPod();
            daemon.faults().arm(point + " hold");
            PodClient client = daemon.pods();
            Thread calling = Thread.ofVirtual().start(() ->
                    assertThrows(StatusRuntimeException.class, () -> client.remove(pod)));
            daemon.faults().awaitHeld(point);
            daemon.kill9();
            calling.join();
            daemon.faults().release(point);
            daemon.faults().arm();
            daemon.start();
            assertGone(before, "a crash " + point);
        }
    }

    @Test
    void aRemovalThatFailedIsFinishedByTheNextReconciliation() throws Exception {
        TestImages.busybox(daemon);
        Set<String> steps = steps();
        NodeContents before = NodeContents.of(daemon);
        for (String step : steps) {
            if (step.endsWith("/removing")) {
                continue;
            }
            PodClient.Pod pod = stoppedPod();
            daemon.faults().arm("before " + step + " fail EBUSY");
            assertThrows(StatusRuntimeException.class, () -> daemon.pods().remove(pod), step);
            assertFalse(daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                    .getItemsList().isEmpty(), "half removed and no longer told of: " + step);
            daemon.connection().berth().reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build());
            assertGone(before, "a failure of " + step);
        }
    }

    @Test
    void aPodThatNeverWasWholeIsShownToNobodyAlsoWhenItsRemovalIsCut() throws Exception {
        PodClient.Pod first = daemon.pods().run(PodClient.config("p" + NUMBER.incrementAndGet(), daemon.node().logs()));
        daemon.pods().stop(first);
        daemon.pods().remove(first);
        NodeContents before = NodeContents.of(daemon);
        for (String step : List.of("stopping", "network", "namespaces", "stopped")) {
            String cut = "after RunPodSandbox/network";
            daemon.faults().arm(cut + " hold");
            PodClient client = daemon.pods();
            Thread calling = Thread.ofVirtual().start(() -> assertThrows(StatusRuntimeException.class,
                    () -> client.run(PodClient.config("half" + NUMBER.incrementAndGet(), daemon.node().logs()))));
            daemon.faults().awaitHeld(cut);
            daemon.kill9();
            calling.join();
            daemon.faults().release(cut);
            daemon.faults().arm("after StopPodSandbox/" + step + " halt");
            assertTrue(assertThrows(RuntimeFault.class, daemon::start, step).getMessage().contains("exit code 137"), step);
            daemon.faults().arm();
            daemon.start();
            assertGone(before, "a recovery that was killed after " + step);
        }
    }
}
