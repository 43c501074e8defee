package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.Finding;
import io.berth.api.v1.ReconciliationRequest;
import io.berth.base.RandomId;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StartContainerRequest;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A client that gives up and asks again gets the one result; what nobody asked for is found and taken away. */
@Timeout(120)
class RetryFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withFailpoints("");

    @BeforeEach
    void image() {
        TestImages.busybox(daemon);
    }

    /** Holds the verb at {@code point}; one client gives up, two others wait; all that got an answer got the same. */
    private String joined(String point, LongFunction<String> call) throws Exception {
        daemon.faults().arm(point + " hold");
        var gaveUp = assertThrows(StatusRuntimeException.class, () -> call.apply(1000));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, gaveUp.getStatus().getCode());
        daemon.faults().awaitHeld(point);
        // Not on the common pool, which has one thread on a machine of two cores.
        var first = CompletableFuture.supplyAsync(() -> call.apply(60_000), Thread::startVirtualThread);
        var second = CompletableFuture.supplyAsync(() -> call.apply(60_000), Thread::startVirtualThread);
        // Nobody tells when both have reached the daemon: a busy machine takes its time.
        Thread.sleep(2000);
        assertTrue(!first.isDone() && !second.isDone(), "a retry did not join");
        daemon.faults().release(point);
        assertEquals(first.get(30, TimeUnit.SECONDS), second.get(30, TimeUnit.SECONDS));
        return first.get();
    }

    @Test
    void aRetryJoinsWhatTheFirstAttemptBegan() throws Exception {
        var config = PodClient.config("pod", daemon.node().logs());
        String sandbox = joined("before RunPodSandbox/network", millis -> daemon.connection().runtime()
                .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
                .runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build()).getPodSandboxId());
        var pod = new PodClient.Pod(sandbox, config);
        String container = joined("after CreateContainer/runtime create", millis -> daemon.connection().runtime()
                .withDeadlineAfter(millis, TimeUnit.MILLISECONDS).createContainer(CreateContainerRequest.newBuilder()
                        .setPodSandboxId(sandbox).setConfig(PodClient.container("c", "sleep", "1000"))
                        .setSandboxConfig(config).build()).getContainerId());
        joined("before StartContainer/runtime start", millis -> daemon.connection().runtime()
                .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
                .startContainer(StartContainerRequest.newBuilder().setContainerId(container).build()).toString());
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void whatNoRecordAccountsForIsTakenAwayWhileOtherPodsRun() throws Exception {
        Witness witness = Witness.start(daemon);
        String stray = RandomId.next();
        Path bundle = Files.createDirectories(daemon.node().state().resolve("containers/" + stray + "/rootfs")).getParent();
        Mounts.tmpfs(bundle.resolve("rootfs"), 1 << 20, 0755, 0, 0, 0);
        Files.createDirectories(daemon.node().state().resolve("sandboxes/" + stray));
        Files.writeString(daemon.node().state().resolve("exits/" + stray), "0");
        String cgroup = daemon.node().cgroup() + "/" + stray;
        Path group = Files.createDirectories(Cgroups.detect().directory("pids", cgroup).orElseThrow());
        Process inside = new ProcessBuilder("sh", "-c", "echo $$ > " + group + "/cgroup.procs; exec sleep 1000").start();
        while (!Files.readString(group.resolve("cgroup.procs")).contains(Long.toString(inside.pid()))) {
            Thread.sleep(5);
        }

        Map<String, Finding> found = daemon.connection().berth()
                .reconciliation(ReconciliationRequest.newBuilder().setRunNow(true).build()).getFindingsList().stream()
                .collect(Collectors.toMap(Finding::getKind, Function.identity()));
        for (String kind : new String[] {"bundle", "sandbox directory", "exit file", "cgroup"}) {
            assertTrue(found.containsKey(kind) && found.get(kind).getSubject().contains(stray)
                    && found.get(kind).getError().isEmpty(), kind + " in " + found);
        }
        assertTrue(inside.waitFor(10, TimeUnit.SECONDS), "the process in the stray group runs on");
        witness.assertUnharmed("reconciliation");
        witness.end();
        daemon.assertNothingLeft();
    }
}
