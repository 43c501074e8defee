package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.ReopenContainerLogRequest;
import io.berth.cri.v1.UpdateContainerResourcesRequest;
import io.berth.linux.Cgroups;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pods whose containers run behind containerd's shim for runc: as their users see them, and what is left of them. */
@Timeout(120)
class ShimIT extends HandlerPods {

    ShimIT() {
        super("""
            [runtime]
            default_runtime_name = "shim"
            [runtime.runtimes.shim]
            runtime_type = "io.containerd.runc.v2"
            """);
    }

    @Override
    void end(PodClient.Pod pod) {
        List<Path> sockets = sockets();
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
        sockets.forEach(socket -> assertTrue(Files.notExists(socket), socket + " is left"));
        assertEquals(List.of(), runcState(), "left in runc's state");
    }

    /** Where the shims of this daemon answer; outside of its directories. */
    private List<Path> sockets() {
        try (var bundles = Files.list(daemon.node().state().resolve("containers"))) {
            return bundles.map(bundle -> bundle.resolve("address")).filter(Files::exists).map(ShimIT::read)
                    .map(address -> Path.of(address.replace("unix://", ""))).distinct().toList();
        } catch (IOException none) {
            return List.of();
        }
    }

    private List<String> runcState() {
        String[] names = daemon.node().state().resolve("oci/shim/k8s.io").toFile().list();
        return names == null ? List.of() : List.of(names);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    private static ProcessHandle shim(PodClient.Pod pod) {
        Optional<ProcessHandle> found = ProcessHandle.allProcesses().filter(process -> {
            String line = process.info().commandLine().orElse("");
            return line.contains("containerd-shim-runc-v2") && line.contains(pod.id());
        }).findFirst();
        return found.orElseThrow();
    }

    @Test
    void aPodRunsAContainerWhoseLogAndExitCodeAreKept() {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("main", "sh", "-c",
                "echo out; echo err >&2; printf half; exit 7"));
        ContainerStatus ended = daemon.pods().awaitExit(container, Duration.ofSeconds(20));
        assertEquals(7, ended.getExitCode());
        assertTrue(ended.getStartedAt() <= ended.getFinishedAt(), "ended before it started");
        assertEquals(List.of("stderr F err", "stdout F out", "stdout P half"), log("main").stream().sorted().toList());
        end(pod);
    }

    @Test
    void oneShimServesAllContainersOfAPod() {
        PodClient.Pod pod = pod();
        String first = daemon.pods().run(pod, PodClient.container("first", "sleep", "1000"));
        String second = daemon.pods().run(pod, PodClient.container("second", "sleep", "1000"));
        assertEquals(1, ProcessHandle.allProcesses().filter(process -> process.info().commandLine().orElse("")
                .contains(daemon.node().state() + "/shims.sock")).count());
        assertEquals("first", out(first, "sh", "-c", "printf first"));
        assertEquals("second", out(second, "sh", "-c", "printf second"));
        end(pod);
    }

    @Test
    void aCommandStreamsItsInputAndOutput() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "read word; echo got $word; exit 5")).setStdin(true).setStdout(true)
                .setStderr(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            client.send(ChannelClient.STDIN, "hello\n".getBytes(StandardCharsets.UTF_8));
            assertEquals("got hello\n", text(client, ChannelClient.STDOUT, "\n"));
            assertTrue(text(client, ChannelClient.ERROR, "}").contains("\"5\""));
        }
        String terminal = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "read go; stty size")).setTty(true).setStdin(true).setStdout(true).build()).getUrl();
        try (ChannelClient client = connect(terminal)) {
            client.send(ChannelClient.RESIZE, "{\"Width\":101,\"Height\":42}".getBytes(StandardCharsets.UTF_8));
            Thread.sleep(300);
            client.send(ChannelClient.STDIN, "\n".getBytes(StandardCharsets.UTF_8));
            assertTrue(text(client, ChannelClient.STDOUT, "101").contains("42 101"));
        }
        end(pod);
    }

    @Test
    void limitsAreChangedAndUseIsMeasured() throws Exception {
        PodClient.Pod pod = pod();
        var config = PodClient.container("c", "sh", "-c", "head -c 4000000 /dev/zero > /file; while :; do :; done").toBuilder();
        config.getLinuxBuilder().setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(64 << 20));
        String container = daemon.pods().run(pod, config.build());
        daemon.connection().runtime().updateContainerResources(UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(container).setLinux(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(96 << 20)).build());
        Cgroups cgroups = Cgroups.detect();
        String group = daemon.node().cgroup() + "/" + pod.id() + "/" + container;
        assertEquals(Optional.of(Integer.toString(96 << 20)), cgroups.read("memory", group,
                cgroups.isUnified() ? "memory.max" : "memory.limit_in_bytes"));
        await("processor time", () -> daemon.connection().runtime().containerStats(ContainerStatsRequest.newBuilder()
                .setContainerId(container).build()).getStats().getCpu().getUsageCoreNanoSeconds().getValue() > 50_000_000);
        assertTrue(daemon.connection().runtime().containerStats(ContainerStatsRequest.newBuilder().setContainerId(container)
                .build()).getStats().getMemory().getUsageBytes().getValue() > 0);
        end(pod);
    }

    @Test
    void aContainerThatTakesTooMuchMemoryIsReportedAsOomKilled() {
        PodClient.Pod pod = pod();
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
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"));
        Path log = daemon.node().logs().resolve("pod/c.log");
        await("a line", () -> read(log).contains("line 0"));
        Path old = Files.move(log, log.resolveSibling("c.log.1"));
        daemon.connection().runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId(container).build());
        assertTrue(Files.exists(log));
        String kept = read(old);
        await("a line in the new log", () -> read(log).contains("line "));
        assertEquals(kept, read(old));
        end(pod);
    }

    @Test
    void aContainerLivesOverTheDeathOfTheDaemonAndItsLogGoesOn() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "i=0; while [ ! -e /stop ]; do i=$((i+1)); echo line $i; sleep 0.05; done; exit 9"));
        await("a line", () -> log("c").size() > 3);
        long pid = shim(pod).pid();
        daemon.kill9();
        Thread.sleep(500);
        daemon.start();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals(pid, shim(pod).pid());
        int before = log("c").size();
        await("a further line", () -> log("c").size() > before + 3);
        List<String> lines = log("c");
        for (int i = 0; i < lines.size(); i++) {
            assertEquals("stdout F line " + (i + 1), lines.get(i), "the log lacks a line or has one twice");
        }
        out(container, "touch", "/stop");
        assertEquals(9, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        end(pod);
    }

    @Test
    void anExitCodeIsKnownThatCameWhileTheDaemonWasDown() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "sleep 1; exit 6"));
        String created = daemon.pods().create(pod, PodClient.container("created", "sh", "-c", "echo late; exit 8"));
        daemon.kill9();
        Thread.sleep(1500);
        daemon.start();
        assertEquals(6, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(created).getState());
        daemon.pods().start(created);
        assertEquals(8, daemon.pods().awaitExit(created, Duration.ofSeconds(20)).getExitCode());
        assertEquals(List.of("stdout F late"), log("created"));
        end(pod);
    }

    @Test
    void aCommandIsEndedWhoseClientWentWithTheDaemon() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "echo up; exec sleep 4711")).setStdout(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            assertEquals("up\n", text(client, ChannelClient.STDOUT, "\n"));
            daemon.kill9();
        }
        daemon.start();
        assertTrue(!out(container, "ps").contains("sleep 4711"));
        end(pod);
    }

    @Test
    void aShimThatIsKilledTakesItsContainersWithItAndThePodIsNotReady() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        shim(pod).destroyForcibly();
        ContainerStatus ended = daemon.pods().awaitExit(container, Duration.ofSeconds(30));
        assertNotEquals(0, ended.getExitCode());
        assertTrue(ended.getMessage().contains("shim"), ended.getMessage());
        await("the end of the pod", () -> daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY);
        // It is told as soon as the stop of the pod begins.
        await("the end of its processes", () -> Cgroups.detect().processes(daemon.node().cgroup()).isEmpty());
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().create(pod, PodClient.container("d", "true")));
        assertEquals(Status.Code.FAILED_PRECONDITION, refused.getStatus().getCode(), refused.getMessage());
        end(pod);
    }

    @Test
    void aShimThatIsKilledWhileTheDaemonIsDownIsNoticedAtItsStart() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String created = daemon.pods().create(pod, PodClient.container("d", "sleep", "1000"));
        ProcessHandle shim = shim(pod);
        daemon.kill9();
        shim.destroyForcibly();
        daemon.start();
        assertNotEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(30)).getExitCode());
        assertNotEquals(0, daemon.pods().awaitExit(created, Duration.ofSeconds(30)).getExitCode());
        assertFalse(read(daemon.node().daemonLog()).contains("recovery failed"), read(daemon.node().daemonLog()));
        assertEquals(List.of(), Cgroups.detect().processes(daemon.node().cgroup()), "processes run on");
        end(pod);
    }

    @Test
    void aPodsSharedPidNamespaceIsThatOfItsContainers() {
        TestImages.busybox(daemon);
        var config = PodClient.config("pod", daemon.node().logs()).toBuilder();
        var shared = io.berth.cri.v1.NamespaceOption.newBuilder().setPid(io.berth.cri.v1.NamespaceMode.POD).build();
        config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(shared);
        PodClient.Pod pod = daemon.pods().run(config.build());
        var first = PodClient.container("first", "sleep", "1234").toBuilder();
        first.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(shared);
        var second = PodClient.container("second", "sleep", "1000").toBuilder();
        second.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(shared);
        daemon.pods().run(pod, first.build());
        String container = daemon.pods().run(pod, second.build());
        assertTrue(out(container, "ps").contains("sleep 1234"));
        end(pod);
    }
}
