package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxState;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The daemon is killed and started again: what runs lives on, what ended is known, what was half made is gone. */
@Timeout(120)
class CrashFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @Test
    void containersLiveOnAndAnEndMeanwhileIsKnown() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String ticking = daemon.pods().run(pod, PodClient.container("ticking", "sh", "-c",
                "i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.1; done"));
        String ending = daemon.pods().run(pod, PodClient.container("ending", "sh", "-c", "sleep 1; exit 42"));

        daemon.kill9();
        int ticksAtDeath = (int) daemon.log("pod", "ticking").lines().count();
        TimeUnit.MILLISECONDS.sleep(1500);
        daemon.start();

        var pods = daemon.pods();
        assertEquals(ContainerState.CONTAINER_RUNNING, pods.status(ticking).getState());
        assertTrue(daemon.log("pod", "ticking").lines().count() > ticksAtDeath, "the log did not go on");
        assertEquals("still\n", pods.exec(ticking, "echo", "still").getStdout().toStringUtf8());
        var ended = pods.awaitExit(ending, Duration.ofSeconds(10));
        assertEquals(42, ended.getExitCode());
        assertEquals("Error", ended.getReason());
        assertTrue(ended.getFinishedAt() > ended.getStartedAt());

        pods.stop(pod);
        assertEquals(137, pods.status(ticking).getExitCode());
        pods.remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aContainerWhoseMonitorWasKilledTooIsReportedAsEndedWithAnUnknownCode() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        daemon.kill9();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            if (process.info().commandLine().orElse("").contains(container)) {
                process.children().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
        TimeUnit.MILLISECONDS.sleep(300);
        daemon.start();
        var status = daemon.pods().status(container);
        assertEquals(ContainerState.CONTAINER_EXITED, status.getState());
        assertFalse(status.getMessage().isEmpty() && status.getExitCode() == 0, status.toString());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aMonitorThatIsKilledWhileTheDaemonRunsIsNoticed() {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            if (process.info().commandLine().orElse("").contains(container)) {
                process.children().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
        assertEquals(ContainerState.CONTAINER_EXITED,
                daemon.pods().awaitExit(container, Duration.ofSeconds(30)).getState());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    /** Kills the daemon at ever later moments of a pod's start; wherever it hits, nothing unknown may be left. */
    @RepeatedTest(6)
    void aCrashInTheMiddleOfAStartLeavesNothingUnknown(RepetitionInfo repetition) throws Exception {
        TestImages.busybox(daemon);
        Thread starting = Thread.ofVirtual().start(() -> {
            try {
                var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
                daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
            } catch (RuntimeException cut) {
                // The connection ends with the daemon.
            }
        });
        TimeUnit.MILLISECONDS.sleep(40L * repetition.getCurrentRepetition());
        daemon.kill9();
        starting.join();
        daemon.start();

        var runtime = daemon.connection().runtime();
        for (var container : runtime.listContainers(ListContainersRequest.getDefaultInstance()).getContainersList()) {
            assertTrue(container.getState() == ContainerState.CONTAINER_RUNNING
                    || container.getState() == ContainerState.CONTAINER_CREATED, container.toString());
        }
        for (var sandbox : runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()) {
            assertEquals(PodSandboxState.SANDBOX_READY, sandbox.getState());
            var pod = new PodClient.Pod(sandbox.getId(), PodClient.config("pod", daemon.node().logs()));
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
        }
        daemon.assertNothingLeft();
    }
}
