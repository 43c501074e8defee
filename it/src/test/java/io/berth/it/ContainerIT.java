package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.ReopenContainerLogRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.cri.v1.UserNamespace;
import io.berth.linux.DeviceNode;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers as their users see them. */
@Timeout(120)
class ContainerIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private PodClient.Pod pod(NamespaceOption modes) {
        TestImages.busybox(daemon);
        var config = PodClient.config("pod", daemon.node().logs()).toBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(modes);
        return daemon.pods().run(config.build());
    }

    private PodClient.Pod pod() {
        return pod(NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build());
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private String out(String container, String... command) {
        var answer = daemon.pods().exec(container, command);
        assertEquals(0, answer.getExitCode(), answer.getStderr().toStringUtf8());
        return answer.getStdout().toStringUtf8();
    }

    @Test
    void thePodsNameServersHostnameAndAddressAreInItsFiles() {
        TestImages.busybox(daemon);
        PodSandboxConfig.Builder config = PodClient.config("pod", daemon.node().logs()).toBuilder().setHostname("bow");
        config.getDnsConfigBuilder().addServers("192.0.2.53").addSearches("svc.local").addOptions("ndots:5");
        var pod = daemon.pods().run(config.build());
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertEquals("search svc.local\nnameserver 192.0.2.53\noptions ndots:5\n", out(container, "cat", "/etc/resolv.conf"));
        assertEquals("bow\n", out(container, "hostname"));
        assertTrue(out(container, "cat", "/etc/hosts").contains("\tbow\n"));
        assertTrue(out(container, "df", "-k", "/dev/shm").contains("65536"));
        end(pod);
    }

    @Test
    void aStopSignalIsHeardAndAfterTheGracePeriodTheContainerIsKilled() {
        var pod = pod();
        String polite = daemon.pods().run(pod, PodClient.container("polite", "sh", "-c",
                "trap 'echo bye; exit 3' TERM; while :; do sleep 0.1; done"));
        String deaf = daemon.pods().run(pod, PodClient.container("deaf", "sh", "-c",
                "trap '' TERM; while :; do sleep 0.1; done"));
        var runtime = daemon.connection().runtime();
        // The shell needs a moment until its trap is set.
        assertEquals("up\n", out(polite, "sh", "-c", "sleep 0.3; echo up"));
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(polite).setTimeout(20).build());
        assertEquals(3, daemon.pods().status(polite).getExitCode());
        assertTrue(daemon.log("pod", "polite").contains("bye"));
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(deaf).setTimeout(1).build());
        assertEquals(137, daemon.pods().status(deaf).getExitCode());
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(deaf).setTimeout(1).build());
        end(pod);
    }

    @Test
    void aContainerThatTakesTooMuchMemoryIsReportedAsOomKilled() {
        var pod = pod();
        var config = PodClient.container("hungry", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1").toBuilder();
        config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(32 << 20);
        String container = daemon.pods().run(pod, config.build());
        var ended = daemon.pods().awaitExit(container, Duration.ofSeconds(30));
        assertEquals("OOMKilled", ended.getReason());
        assertEquals(137, ended.getExitCode());
        end(pod);
    }

    @Test
    void aReopenedLogIsThereAtOnceAndTheOldOneKeepsItsLines() throws Exception {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"));
        Path log = daemon.node().logs().resolve("pod/c.log");
        while (!Files.exists(log) || Files.size(log) == 0) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        Path old = Files.move(log, log.resolveSibling("c.log.1"));
        daemon.connection().runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId(container).build());
        assertTrue(Files.exists(log));
        long oldSize = Files.size(old);
        TimeUnit.MILLISECONDS.sleep(300);
        assertEquals(oldSize, Files.size(old));
        assertTrue(Files.size(log) > 0);
        daemon.pods().stop(pod);
        assertEquals(Status.Code.FAILED_PRECONDITION, assertThrows(StatusRuntimeException.class, () -> daemon.connection()
                .runtime().reopenContainerLog(ReopenContainerLogRequest.newBuilder().setContainerId(container).build()))
                .getStatus().getCode());
        end(pod);
    }

    @Test
    void aCommandThatTakesTooLongIsKilledWithAllItStarted() {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        Status status = assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime().execSync(
                ExecSyncRequest.newBuilder().setContainerId(container).setTimeout(1)
                        .addCmd("sh").addCmd("-c").addCmd("sleep 77 & sleep 88").build())).getStatus();
        assertEquals(Status.Code.DEADLINE_EXCEEDED, status.getCode(), status.getDescription());
        String processes = out(container, "ps");
        assertTrue(!processes.contains("sleep 77") && !processes.contains("sleep 88"), processes);
        end(pod);
    }

    @Test
    void aClassOfBlockIoThatThePodNamesReachesTheKernel() throws Exception {
        Path disk;
        try (var disks = Files.list(Path.of("/sys/block"))) {
            disk = disks.map(block -> Path.of("/dev", block.getFileName().toString()))
                    .filter(device -> DeviceNode.at(device).isPresent()).sorted().reduce((first, last) -> last).orElse(null);
        }
        assumeTrue(disk != null, "this machine has no block device");
        Path classes = daemon.node().directory().resolve("blockio.yaml");
        Files.writeString(classes, "Classes: {slow: [{Devices: [" + disk + "], ThrottleReadBps: 60M}]}\n");
        daemon.stop();
        Files.createDirectories(daemon.node().directory().resolve("config.d"));
        Files.writeString(daemon.node().directory().resolve("config.d/blockio.toml"),
                "[runtime]\nblockio_config_file = \"" + classes + "\"\n");
        daemon.start();
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()).toBuilder()
                .putAnnotations("blockio.resources.beta.kubernetes.io/pod", "slow").build());
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        DeviceNode node = DeviceNode.at(disk).orElseThrow();
        String limit = out(container, "sh", "-c", "cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device"
                + " /sys/fs/cgroup/io.max 2>/dev/null; true");
        assertTrue(limit.contains(node.major() + ":" + node.minor()) && limit.contains("60000000"), limit);
        end(pod);
    }

    @Test
    void aPodThatSharesItsPidNamespaceSeesAllItsProcessesAndItsOrphansAreReaped() throws Exception {
        var shared = NamespaceOption.newBuilder().setPid(NamespaceMode.POD).build();
        var pod = pod(shared);
        var first = PodClient.container("first", "sleep", "1234").toBuilder();
        first.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(shared);
        var second = PodClient.container("second", "sh", "-c", "(sleep 0.2 &); sleep 1000").toBuilder();
        second.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(shared);
        daemon.pods().run(pod, first.build());
        String container = daemon.pods().run(pod, second.build());
        TimeUnit.MILLISECONDS.sleep(500);
        String processes = out(container, "ps");
        assertTrue(processes.contains("sleep 1234"), processes);
        assertTrue(!processes.contains("[sleep]"), "a zombie: " + processes);
        end(pod);
    }

    @Test
    void aPodWithAUserNamespaceRunsAsRootOnlyInsideOfIt() {
        var mapping = IDMapping.newBuilder().setContainerId(0).setHostId(200_000).setLength(65_536);
        var modes = NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).setUsernsOptions(UserNamespace.newBuilder()
                .setMode(NamespaceMode.POD).addUids(mapping).addGids(mapping)).build();
        var pod = pod(modes);
        var config = PodClient.container("c", "sleep", "1000").toBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(modes);
        String container = daemon.pods().run(pod, config.build());
        assertEquals("0\n", out(container, "id", "-u"));
        assertTrue(out(container, "cat", "/proc/self/uid_map").matches("\\s*0\\s+200000\\s+65536\n"));
        assertEquals("0:0\n", out(container, "stat", "-c", "%u:%g", "/bin/busybox"));
        assertEquals("ok\n", out(container, "sh", "-c", "touch /new && echo ok"));
        daemon.restart();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals("0\n", out(container, "id", "-u"));
        end(pod);
    }
}
