package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.ImageFsInfoRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ListContainerStatsRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveContainerRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StatusRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.linux.DirectoryTree;
import io.berth.server.snapshotter.GrpcSnapshots;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images and containers on a snapshotter that is a program of its own: containerd's "native", in which layers are whole
 * trees. A second handler has Berth's own.
 */
@Timeout(120)
class SnapshotterIT extends HandlerPods {

    private static final Path DIRECTORY = FreshDirectory.named("berth-snapshots");
    private static ContainerdSnapshots program;

    SnapshotterIT() {
        super("""
            [proxy_plugins.native]
            address = "%s/c.sock"
            [images]
            snapshotter = "native"
            [runtime]
            default_runtime_name = "runc"
            [runtime.runtimes.runc]
            [runtime.runtimes.plain]
            runtime_path = "runc"
            snapshotter = "overlayfs"
            """.formatted(DIRECTORY));
    }

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        program = ContainerdSnapshots.start(DIRECTORY);
        StackedImage.write(DIRECTORY.resolve("image"));
    }

    @AfterAll
    static void stop() throws InterruptedException, IOException {
        program.close();
        DirectoryTree.remove(DIRECTORY);
    }

    @Override
    void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
        assertEquals(List.of(), program.active(), "left at the snapshotter");
        for (String name : List.of(StackedImage.NAME, BusyboxImage.NAME)) {
            daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(name)).build());
        }
        assertEquals(List.of(), program.names(), "left of images");
    }

    private PodClient.Pod stackedPod() {
        StackedImage.importInto(daemon, DIRECTORY.resolve("image"));
        return daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
    }

    private static ContainerConfig stacked(String name, String... command) {
        ContainerConfig.Builder config = PodClient.container(name, command).toBuilder();
        config.getImageBuilder().setImage(StackedImage.NAME);
        return config.build();
    }

    private PodClient.Pod plainPod() {
        PodSandboxConfig config = PodClient.config("plain", daemon.node().logs());
        return new PodClient.Pod(daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder()
                .setConfig(config).setRuntimeHandler("plain").build()).getPodSandboxId(), config);
    }

    @Test
    void layersAddReplaceAndDeleteWhatIsInThoseBelow() throws Exception {
        PodClient.Pod pod = stackedPod();
        String container = daemon.pods().run(pod, stacked("c", "sleep", "1000"));
        assertEquals(StackedImage.PROVEN, out(container, "sh", "-c", StackedImage.PROOF));
        assertEquals(1, program.active().size());
        assertFalse(Files.exists(daemon.node().root().resolve("snapshots/active").resolve(container)), "made by Berth itself");
        end(pod);
    }

    @Test
    void whatAContainerWritesIsItsOwnAndIsCounted() throws Exception {
        PodClient.Pod pod = stackedPod();
        String one = daemon.pods().run(pod, stacked("one", "sleep", "1000"));
        String two = daemon.pods().run(pod, stacked("two", "sleep", "1000"));
        out(one, "sh", "-c", "head -c 3000000 /dev/zero > /data/big && rm /data/changed");
        assertEquals("new\n", out(two, "cat", "/data/changed"));
        long written = daemon.connection().runtime().containerStats(ContainerStatsRequest.newBuilder().setContainerId(one).build())
                .getStats().getWritableLayer().getUsedBytes().getValue();
        assertTrue(written >= 3_000_000, written + " bytes");
        assertTrue(daemon.connection().images().imageFsInfo(ImageFsInfoRequest.getDefaultInstance()).getImageFilesystems(0)
                .getUsedBytes().getValue() > 1_000_000);
        end(pod);
    }

    @Test
    void anImageIsAReadOnlyVolume() throws Exception {
        PodClient.Pod pod = stackedPod();
        ContainerConfig config = stacked("c", "sleep", "1000").toBuilder().addMounts(Mount.newBuilder().setReadonly(true)
                .setContainerPath("/volume").setImage(ImageSpec.newBuilder().setImage(StackedImage.NAME))).build();
        String container = daemon.pods().run(pod, config);
        assertEquals("added\n", out(container, "cat", "/volume/data/added"));
        assertTrue(daemon.pods().exec(container, "touch", "/volume/x").getExitCode() != 0, "the volume can be written");
        assertEquals(2, program.active().size());
        end(pod);
    }

    @Test
    void oneImageRunsOnTwoSnapshotters() throws Exception {
        PodClient.Pod pod = stackedPod();
        String here = daemon.pods().run(pod, stacked("c", "sleep", "1000"));
        PodClient.Pod plain = plainPod();
        String there = daemon.pods().run(plain, stacked("c", "sleep", "1000"));
        assertTrue(Files.exists(daemon.node().root().resolve("snapshots/active").resolve(there)));
        assertEquals(out(here, "sh", "-c", StackedImage.PROOF), out(there, "sh", "-c", StackedImage.PROOF));
        daemon.pods().stop(plain);
        daemon.pods().remove(plain);
        end(pod);
        assertEquals(0, Files.list(daemon.node().root().resolve("snapshots/layers")).count());
    }

    @Test
    void aPullGoesToTheSnapshotterOfThePodsHandler(@TempDir Path files) throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(files.resolve("registry"))) {
            ImageSpec image = ImageSpec.newBuilder().setImage(registry.push("stacked")).build();
            PodClient.Pod plain = plainPod();
            daemon.connection().images().pullImage(PullImageRequest.newBuilder().setImage(image)
                    .setSandboxConfig(plain.config()).build());
            assertEquals(List.of(), program.names());
            ContainerConfig.Builder config = PodClient.container("c", "sleep", "1000").toBuilder();
            config.setImage(image);
            String container = daemon.pods().run(plain, config.build());
            assertEquals("stacked\n", out(container, "cat", "/www/index.html"));
            // The other handler's, by its name.
            var named = image.toBuilder().setRuntimeHandler("runc").build();
            daemon.connection().images().pullImage(PullImageRequest.newBuilder().setImage(named).build());
            assertEquals(1, program.names().size());
            assertTrue(daemon.connection().images().imageStatus(ImageStatusRequest.newBuilder().setImage(named).build()).hasImage());
            StatusRuntimeException unknown = assertThrows(StatusRuntimeException.class, () -> daemon.connection().images()
                    .pullImage(PullImageRequest.newBuilder().setImage(image.toBuilder().setRuntimeHandler("none")).build()));
            assertEquals(Status.Code.INVALID_ARGUMENT, unknown.getStatus().getCode());
            daemon.pods().stop(plain);
            daemon.pods().remove(plain);
            daemon.connection().images().removeImage(RemoveImageRequest.newBuilder().setImage(image).build());
            assertEquals(List.of(), program.names());
        }
    }

    @Test
    void aContainerLivesOverTheDeathOfTheDaemonAndIsRemovedAfterwards() throws Exception {
        PodClient.Pod pod = stackedPod();
        String container = daemon.pods().run(pod, stacked("c", "sleep", "1000"));
        daemon.kill9();
        daemon.start();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals(StackedImage.PROVEN, out(container, "sh", "-c", StackedImage.PROOF));
        end(pod);
    }

    @Test
    void withoutTheProgramPodsRunOnAndWhatNeedsItIsRefusedWithItsName() throws Exception {
        PodClient.Pod pod = stackedPod();
        String container = daemon.pods().run(pod, stacked("c", "sleep", "1000"));
        program.kill();
        assertEquals(StackedImage.PROVEN, out(container, "sh", "-c", StackedImage.PROOF));
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertTrue(daemon.connection().runtime().listContainerStats(ListContainerStatsRequest.getDefaultInstance())
                .getStatsList().stream().anyMatch(stats -> stats.getAttributes().getId().equals(container)));
        assertEquals(1, daemon.connection().images().imageFsInfo(ImageFsInfoRequest.getDefaultInstance())
                .getImageFilesystemsCount());
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().create(pod, stacked("d", "sleep", "1000")));
        assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode(), refused.getMessage());
        assertTrue(refused.getMessage().contains("snapshotter native") && refused.getMessage().contains("start it"),
                refused.getMessage());
        // A daemon that starts now has all it had.
        daemon.kill9();
        daemon.start();
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container).build());
        StatusRuntimeException kept = assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime()
                .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container).build()));
        assertEquals(Status.Code.UNAVAILABLE, kept.getStatus().getCode(), kept.getMessage());
        daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(BusyboxImage.NAME)).build());
        program.start();
        end(pod);
    }

    @Test
    void whatACrashHasLeftAtTheProgramIsRemovedAndWhatIsOthersIsNot() throws Exception {
        PodClient.Pod pod = stackedPod();
        String name = program.names().getFirst();
        String prefix = name.substring(0, name.indexOf('/') + 1);
        daemon.kill9();
        try (GrpcSnapshots calls = new GrpcSnapshots(ContainerdSnapshots.NAME, program.socket())) {
            calls.prepare(prefix + "unpack-0123", "", Map.of());
            calls.prepare("somebody-else", "", Map.of());
            daemon.start();
            await("the removal", () -> program.active().equals(List.of("somebody-else")));
            calls.remove("somebody-else");
        }
        end(pod);
    }

    @Test
    void userNamespacesAreNotOfferedAndRefused() throws Exception {
        var handlers = daemon.connection().runtime().status(StatusRequest.getDefaultInstance()).getRuntimeHandlersList();
        assertFalse(handlers.stream().filter(handler -> handler.getName().equals("runc")).findFirst().orElseThrow()
                .getFeatures().getUserNamespaces());
        StackedImage.importInto(daemon, DIRECTORY.resolve("image"));
        PodSandboxConfig.Builder config = PodClient.config("pod", daemon.node().logs()).toBuilder();
        var ids = IDMapping.newBuilder().setHostId(100_000).setContainerId(0).setLength(65_536);
        config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().getUsernsOptionsBuilder()
                .setMode(NamespaceMode.POD).addUids(ids).addGids(ids);
        PodClient.Pod pod = daemon.pods().run(config.build());
        ContainerConfig.Builder container = stacked("c", "sleep", "1000").toBuilder();
        container.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(
                config.getLinux().getSecurityContext().getNamespaceOptions());
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().create(pod, container.build()));
        assertEquals(Status.Code.UNIMPLEMENTED, refused.getStatus().getCode(), refused.getMessage());
        assertTrue(refused.getMessage().contains("snapshotter native"), refused.getMessage());
        end(pod);
    }

    @Test
    void anExitCodeComesThrough() throws Exception {
        PodClient.Pod pod = stackedPod();
        String container = daemon.pods().run(pod, stacked("c", "sh", "-c", "exit 7"));
        assertEquals(7, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        end(pod);
    }
}
