package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.linux.DirectoryTree;
import io.berth.server.snapshotter.GrpcSnapshots;
import io.berth.snapshot.SnapshotCalls;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lazy pulls: images whose files the stargz snapshotter fetches when a container reads them. */
@Timeout(120)
class StargzIT extends HandlerPods {

    private static final Path DIRECTORY = FreshDirectory.named("berth-stargz");
    private static LocalRegistry registry;
    private static StargzSnapshotter snapshotter;

    StargzIT() {
        super("""
            [proxy_plugins.stargz]
            address = "%s/stargz/stargz.sock"
            [images]
            snapshotter = "stargz"
            [runtime.runtimes.runc]
            [runtime.runtimes.plain]
            runtime_path = "runc"
            snapshotter = "overlayfs"
            """.formatted(DIRECTORY));
    }

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        if (StargzSnapshotter.failure().isPresent()) {
            return;
        }
        registry = LocalRegistry.start(DIRECTORY.resolve("registry"));
        snapshotter = StargzSnapshotter.start(DIRECTORY.resolve("stargz"), registry);
    }

    // For each test, so that each is told as skipped.
    @BeforeEach
    void itIsThere() throws IOException {
        Optional<String> failure = StargzSnapshotter.failure();
        assumeTrue(failure.isEmpty(), failure::get);
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (snapshotter != null) {
            snapshotter.close();
            registry.close();
        }
        DirectoryTree.remove(DIRECTORY);
    }

    @Override
    void end(PodClient.Pod pod) {
        end(pod, BusyboxImage.NAME);
    }

    private void end(PodClient.Pod pod, String image) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
        daemon.connection().images().removeImage(RemoveImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image)).build());
        try (GrpcSnapshots calls = new GrpcSnapshots("stargz", snapshotter.socket())) {
            assertEquals(List.of(), calls.list().stream().map(SnapshotCalls.Known::name).toList(), "left at the snapshotter");
        }
        assertEquals(List.of(), snapshotter.lazyMounts(), "mounts left at the snapshotter");
        String[] kept = snapshotter.root().resolve("snapshotter/snapshots").toFile().list();
        assertEquals(0, kept == null ? 0 : kept.length, "files left at the snapshotter: " + List.of(kept == null ? new String[0] : kept));
    }

    private void pull(EstargzImage image) {
        daemon.connection().images().pullImage(PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image.name())).build());
    }

    private static ContainerConfig container(EstargzImage image, String... command) {
        ContainerConfig.Builder config = PodClient.container("c", command).toBuilder();
        config.getImageBuilder().setImage(image.name());
        return config.build();
    }

    private static String sum(int file) {
        return Digest.ofBytes(EstargzImage.dataFile(file)).hex();
    }

    @Test
    void ofAnImageThatIsPulledOnlyWhatAContainerReadsIsFetched() throws Exception {
        EstargzImage image = EstargzImage.push(registry, DIRECTORY, "lazy");
        Digest data = image.layers().get(EstargzImage.DATA_LAYER).digest();
        long before = registry.bytesOf(data);
        pull(image);
        long pulled = registry.bytesOf(data);
        assertTrue(pulled - before < 100_000, "the pull has fetched " + (pulled - before));
        PodClient.Pod pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, container(image, "sleep", "1000"));
        assertEquals(sum(3), out(container, "sha256sum", "/data/d3").split(" ")[0]);
        long fetched = registry.bytesOf(data) - pulled;
        assertTrue(fetched >= EstargzImage.DATA_FILE_BYTES && fetched < 2 * EstargzImage.DATA_FILE_BYTES,
                "reading has fetched " + fetched);
        // The layer above deletes and hides.
        assertEquals("late\n", out(container, "sh", "-c", "test ! -e /data/gone && cat /data/late"));
        assertEquals("another page\n", out(container, "cat", "/www/index.html"));
        assertEquals("mine\n", out(container, "sh", "-c", "echo mine > /data/d4 && cat /data/d4"));
        end(pod, image.name());
    }

    @Test
    void aLayerThatCannotBeReadLazilyIsDownloadedAndThoseAboveAreLazyAgain() throws Exception {
        EstargzImage image = EstargzImage.pushMixed(registry, DIRECTORY, "mixed");
        pull(image);
        assertEquals(3, snapshotter.lazyMounts().size());
        PodClient.Pod pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, container(image, "sleep", "1000"));
        assertEquals("plain\nlate\n", out(container, "cat", "/plain", "/data/late"));
        assertEquals(sum(0), out(container, "sha256sum", "/data/d0").split(" ")[0]);
        end(pod, image.name());
    }

    @Test
    void whereAnotherHandlerNeedsWhatWasNeverDownloadedItIsPulledThen() throws Exception {
        EstargzImage image = EstargzImage.push(registry, DIRECTORY, "twice");
        pull(image);
        var config = PodClient.config("pod", daemon.node().logs());
        PodClient.Pod pod = new PodClient.Pod(daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).setRuntimeHandler("plain").build()).getPodSandboxId(), config);
        String container = daemon.pods().run(pod, container(image, "sleep", "1000"));
        assertEquals(sum(7), out(container, "sha256sum", "/data/d7").split(" ")[0]);
        end(pod, image.name());
    }

    @Test
    void afterARestartOfTheProgramNewContainersRead() throws Exception {
        EstargzImage image = EstargzImage.push(registry, DIRECTORY, "restart");
        pull(image);
        PodClient.Pod pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        // Its program's own file is read through the snapshotter: it may live on or not.
        daemon.pods().run(pod, container(image, "sleep", "1000"));
        snapshotter.kill9();
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().create(pod,
                container(image, "sleep", "1000").toBuilder().setMetadata(container(image).getMetadata().toBuilder().setName("d")).build()));
        assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode(), refused.getMessage());
        daemon.kill9();
        daemon.start();
        snapshotter.startAgain();
        String fresh = daemon.pods().run(pod, container(image, "sleep", "1000").toBuilder()
                .setMetadata(container(image).getMetadata().toBuilder().setName("e")).build());
        assertEquals(sum(9), out(fresh, "sha256sum", "/data/d9").split(" ")[0]);
        end(pod, image.name());
    }
}
