package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.linux.Cgroups;
import io.berth.linux.Command;
import io.berth.linux.DirectoryTree;
import io.berth.streaming.client.ChannelClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pods whose containers run in one sandbox of gVisor's, by its own shim. No distribution has that: it is taken from the PATH. */
@Timeout(180)
class GvisorShimIT extends GvisorPods {

    private static final Path FILES = Path.of(System.getProperty("java.io.tmpdir"),
            "berth-gvisor-shim-" + ProcessHandle.current().pid());

    GvisorShimIT() {
        super("""
            [runtime]
            default_runtime_name = "gvisor"
            [runtime.runtimes.gvisor]
            runtime_type = "io.containerd.runsc.v1"
            options.TypeUrl = "io.containerd.runsc.v1.options"
            options.ConfigPath = "%s"
            """.formatted(FILES.resolve("runsc.toml")));
    }

    @BeforeAll
    static void gvisorRunsHere() throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(run("command -v containerd-shim-runsc-v1").exitCode() == 0, "there is no containerd-shim-runsc-v1 in the PATH");
        Command.Output output = run("runsc --network=none --ignore-cgroups do true");
        assumeTrue(output.exitCode() == 0, () -> "runsc does not run on this kernel: " + output.stderrText());
        Files.createDirectories(FILES);
        Files.writeString(FILES.resolve("runsc.toml"), """
                root = "%s"
                [runsc_config]
                platform = "systrap"
                """.formatted(FILES.resolve("runsc")));
    }

    private static Command.Output run(String line) {
        return Command.of(List.of("sh", "-c", line), Duration.ofSeconds(60)).run();
    }

    @AfterAll
    static void removeFiles() {
        DirectoryTree.remove(FILES);
    }

    @Override
    void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
        assertEquals(List.of(), runscState(pod), "left in runsc's state");
    }

    // The shim can end the command itself only, and so can containerd.
    @Override
    boolean endsWhatCommandsStart() {
        return false;
    }

    private static List<String> runscState(PodClient.Pod pod) {
        String[] names = FILES.resolve("runsc/k8s.io").toFile().list();
        return names == null ? List.of() : Stream.of(names).filter(name -> name.contains(pod.id())).toList();
    }

    private static ProcessHandle shim(PodClient.Pod pod) {
        return ProcessHandle.allProcesses().filter(process -> {
            String line = process.info().commandLine().orElse("");
            return line.contains("containerd-shim-runsc-v1") && line.contains(pod.id());
        }).findFirst().orElseThrow();
    }

    @Test
    void oneSandboxHasAllContainersOfAPod() throws Exception {
        PodClient.Pod pod = pod();
        String first = daemon.pods().run(pod, PodClient.container("first", "sleep", "1000"));
        String second = daemon.pods().run(pod, PodClient.container("second", "sleep", "1000"));
        assertEquals("first", out(first, "sh", "-c", "printf first"));
        assertEquals("second", out(second, "sh", "-c", "printf second"));
        assertEquals(1, ProcessHandle.allProcesses().filter(process -> process.info().commandLine().orElse("")
                .contains("--root=" + FILES.resolve("runsc") + "/k8s.io") && process.info().commandLine().orElse("")
                .contains(" boot ")).count(), "gVisor's kernels");
        out(first, "sh", "-c", "echo shared > /dev/shm/file");
        assertEquals("shared\n", out(second, "cat", "/dev/shm/file"));
        end(pod);
    }

    @Test
    void useIsMeasured() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "while :; do :; done"));
        var stats = ContainerStatsRequest.newBuilder().setContainerId(container).build();
        await("processor time", () -> daemon.connection().runtime().containerStats(stats).getStats().getCpu()
                .getUsageCoreNanoSeconds().getValue() > 500_000_000);
        assertTrue(daemon.connection().runtime().containerStats(stats).getStats().getMemory().getUsageBytes().getValue() > 0);
        end(pod);
    }

    @Test
    void aPodThatTakesTooMuchMemoryEndsAndItsContainersAreReportedAsOomKilled() throws Exception {
        TestImages.busybox(daemon);
        Cgroups cgroups = Cgroups.detect();
        // As the kubelet does: the limit is the pod's, and the name of the group tells the shim where the pod's kernel belongs.
        String group = daemon.node().cgroup() + "/podhungry";
        var config = PodClient.config("pod", daemon.node().logs()).toBuilder();
        config.getLinuxBuilder().setCgroupParent(group);
        PodClient.Pod pod = daemon.pods().run(config.build());
        Files.writeString(cgroups.directory("memory", group).orElseThrow().resolve(cgroups.isUnified() ? "memory.max"
                : "memory.limit_in_bytes"), Integer.toString(256 << 20));
        String other = daemon.pods().run(pod, PodClient.container("other", "sleep", "1000"));
        String hungry = daemon.pods().run(pod, PodClient.container("hungry", "sh", "-c",
                "dd if=/dev/zero of=/dev/null bs=800M count=1"));
        for (String container : List.of(hungry, other)) {
            var ended = daemon.pods().awaitExit(container, Duration.ofSeconds(60));
            assertEquals("OOMKilled", ended.getReason());
            assertEquals(137, ended.getExitCode());
        }
        await("the end of the pod", () -> daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        cgroups.remove(group);
        end(pod);
    }

    @Test
    void containersLiveOverTheDeathOfTheDaemonAndCommandsOfItAreEnded() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        Path volume = Files.createDirectory(daemon.node().directory().resolve("volume"));
        String ending = daemon.pods().run(pod, PodClient.container("ending", "sh", "-c",
                "until [ -e /data/go ]; do sleep 0.1; done; touch /data/gone; exit 6").toBuilder()
                .addMounts(Mount.newBuilder().setHostPath(volume.toString()).setContainerPath("/data")).build());
        String created = daemon.pods().create(pod, PodClient.container("created", "sh", "-c", "echo late; exit 8"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "echo up; exec sleep 4711")).setStdout(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            assertEquals("up\n", text(client, ChannelClient.STDOUT, "\n"));
            daemon.kill9();
        }
        long pid = shim(pod).pid();
        Files.createFile(volume.resolve("go"));
        await("the end", () -> Files.exists(volume.resolve("gone")));
        // Long enough for the shim to find that nobody hears its events.
        Thread.sleep(2000);
        daemon.start();
        assertEquals(6, daemon.pods().awaitExit(ending, Duration.ofSeconds(20)).getExitCode());
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals(pid, shim(pod).pid());
        assertTrue(!out(container, "ps").contains("sleep 4711"));
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(created).getState());
        daemon.pods().start(created);
        assertEquals(8, daemon.pods().awaitExit(created, Duration.ofSeconds(20)).getExitCode());
        assertEquals(List.of("stdout F late"), log("created"));
        end(pod);
    }

    @Test
    void aShimThatIsKilledTakesItsContainersWithItAndThePodIsNotReady() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        shim(pod).destroyForcibly();
        var ended = daemon.pods().awaitExit(container, Duration.ofSeconds(30));
        assertNotEquals(0, ended.getExitCode());
        assertTrue(ended.getMessage().contains("shim"), ended.getMessage());
        await("the end of the pod", () -> daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY);
        await("the end of its processes", () -> Cgroups.detect().processes(daemon.node().cgroup()).isEmpty());
        end(pod);
    }
}
