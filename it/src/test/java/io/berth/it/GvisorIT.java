package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.UpdateContainerResourcesRequest;
import io.berth.linux.Command;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pods whose containers run under gVisor's kernel, by the command line of a real runsc. */
@Timeout(180)
class GvisorIT extends GvisorPods {

    GvisorIT() {
        super("""
            [runtime]
            default_runtime_name = "gvisor"
            [runtime.runtimes.gvisor]
            runtime_path = "runsc"
            """);
    }

    @BeforeAll
    static void gvisorRunsHere() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        Command.Output output = Command.of(List.of("sh", "-c", "runsc --network=none --ignore-cgroups do true"),
                Duration.ofSeconds(60)).run();
        assumeTrue(output.exitCode() == 0, () -> "runsc does not run on this kernel: " + output.stderrText());
    }

    @Override
    void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
        assertEquals(List.of(), runscState(), "left in runsc's state");
    }

    private List<String> runscState() {
        String[] names = daemon.node().state().resolve("oci/gvisor").toFile().list();
        return names == null ? List.of() : List.of(names);
    }

    @Test
    void useIsMeasuredAndChangingALimitIsRefused() throws Exception {
        PodClient.Pod pod = pod();
        var config = PodClient.container("c", "sh", "-c", "while :; do :; done").toBuilder();
        config.getLinuxBuilder().setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(512 << 20));
        String container = daemon.pods().run(pod, config.build());
        var stats = ContainerStatsRequest.newBuilder().setContainerId(container).build();
        await("processor time", () -> daemon.connection().runtime().containerStats(stats).getStats().getCpu()
                .getUsageCoreNanoSeconds().getValue() > 500_000_000);
        assertTrue(daemon.connection().runtime().containerStats(stats).getStats().getMemory().getUsageBytes().getValue() > 0);
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime()
                .updateContainerResources(UpdateContainerResourcesRequest.newBuilder().setContainerId(container)
                        .setLinux(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(600 << 20)).build()));
        assertEquals(Status.Code.UNIMPLEMENTED, refused.getStatus().getCode(), refused.getMessage());
        end(pod);
    }

    @Test
    void aContainerThatTakesTooMuchMemoryIsReportedAsOomKilled() {
        PodClient.Pod pod = pod();
        // Its kernel needs memory of its own.
        var config = PodClient.container("hungry", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=800M count=1").toBuilder();
        config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(256 << 20);
        String container = daemon.pods().run(pod, config.build());
        var ended = daemon.pods().awaitExit(container, Duration.ofSeconds(60));
        assertEquals("OOMKilled", ended.getReason());
        assertEquals(137, ended.getExitCode());
        end(pod);
    }

    @Test
    void containersLiveOverTheDeathOfTheDaemonAndCommandsOfItAreEnded() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String ending = daemon.pods().run(pod, PodClient.container("ending", "sh", "-c",
                "until [ -e /data/go ]; do sleep 0.1; done; exit 6").toBuilder().addMounts(Mount.newBuilder()
                .setHostPath(Files.createDirectory(daemon.node().directory().resolve("volume")).toString())
                .setContainerPath("/data")).build());
        String created = daemon.pods().create(pod, PodClient.container("created", "sh", "-c", "echo late; exit 8"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "echo up; exec sleep 4711")).setStdout(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            assertEquals("up\n", text(client, ChannelClient.STDOUT, "\n"));
            daemon.kill9();
        }
        Files.createFile(daemon.node().directory().resolve("volume/go"));
        await("the end", () -> Files.exists(daemon.node().state().resolve("exits").resolve(ending)));
        daemon.start();
        assertEquals(6, daemon.pods().awaitExit(ending, Duration.ofSeconds(20)).getExitCode());
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertTrue(!out(container, "ps").contains("sleep 4711"));
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(created).getState());
        daemon.pods().start(created);
        assertEquals(8, daemon.pods().awaitExit(created, Duration.ofSeconds(20)).getExitCode());
        assertEquals(List.of("stdout F late"), log("created"));
        end(pod);
    }
}
