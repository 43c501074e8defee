package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.linux.Mounts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of the peers up to their restore, and a restore that is killed: neither needs a CRIU that works. */
@Timeout(120)
class PeerArchiveIT {

    private static final Path SCRIPT = script();

    @TempDir
    private Path directory;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            enable_criu_support = true
            default_runtime_name = "runc"
            [runtime.runtimes.runc]
            runtime_path = "runc"
            [runtime.runtimes.killed]
            runtime_path = "%s"
            """.formatted(SCRIPT));

    /** What runc does in a restore until CRIU runs: it mounts root and volumes in its own directory. Then it is killed. */
    private static Path script() {
        try {
            Path script = Files.createTempFile("berth-killed", "runtime");
            Files.writeString(script, """
                    #!/bin/sh
                    for word; do
                      case "$word" in --version) echo "a wrapper of runc"; exit 0;; esac
                      case "$word" in restore) restore=yes;; --help) help=yes;; esac
                      case "$word" in --root=*) root=${word#--root=};; esac
                      case "$before" in --bundle) bundle=$word;; esac
                      before=$word; last=$word
                    done
                    if [ "$restore$help" = yes ]; then
                      [ -n "$root" ] && [ -n "$bundle" ] || exit 1
                      mkdir -p "$root/$last/criu-root"
                      mount --rbind "$bundle/rootfs" "$root/$last/criu-root"
                      mkdir -p "$root/$last/criu-root/data"
                      mount --bind "$(cat %1$s.volume)" "$root/$last/criu-root/data"
                      kill -9 $$
                    fi
                    exec runc "$@"
                    """.formatted(script));
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
            return script;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @AfterAll
    static void removeScript() throws Exception {
        Files.deleteIfExists(SCRIPT);
        Files.deleteIfExists(Path.of(SCRIPT + ".volume"));
    }

    private static ContainerConfig from(Path archive) {
        return PodClient.container("again").toBuilder().setImage(ImageSpec.newBuilder().setImage(archive.toString())).build();
    }

    private Path rootfs(String container) {
        return daemon.node().state().resolve("containers").resolve(container).resolve("rootfs");
    }

    @Test
    void anImageThatIsACheckpointIsRefusedUnlessSuchAreAllowed() throws Exception {
        String image = TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        Path archive = PeerArchive.ofContainerd(image, BusyboxImage.NAME).write(directory.resolve("containerd.tar"));
        CheckpointImage.importInto(daemon, directory.resolve("image"), Files.readAllBytes(archive), "localhost/checkpoint:1");
        ContainerConfig named = PodClient.container("again").toBuilder().setImage(ImageSpec.newBuilder()
                .setImage("localhost/checkpoint:1")).build();
        StatusRuntimeException refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().create(pod, named));
        assertEquals(Status.Code.UNIMPLEMENTED, refused.getStatus().getCode(), refused.getMessage());
        assertTrue(refused.getMessage().contains("enable_checkpoint_images"), refused.getMessage());
        end(pod);
    }

    @Test
    void whatCriOHasWrittenBecomesAContainer() throws Exception {
        String image = TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        Path archive = PeerArchive.ofCriO(image, BusyboxImage.NAME).write(directory.resolve("crio.tar"));
        String container = daemon.pods().create(pod, from(archive));
        assertChanged(container);
        assertEquals(040555, Files.getAttribute(rootfs(container), "unix:mode"), "CRIU wants the mode that it had with CRI-O");
        assertTrue(Files.readString(rootfs(container).resolveSibling("config.json")).contains("/run/.containerenv"));
        assertEquals(image, daemon.pods().status(container).getImageId());
        end(pod);
    }

    @Test
    void whatContainerdHasWrittenBecomesAContainer() throws Exception {
        String image = TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        // Imported images have no digest of a repository; containerd writes what it calls the image then.
        Path archive = PeerArchive.ofContainerd(image, BusyboxImage.NAME).write(directory.resolve("containerd.tar"));
        String container = daemon.pods().create(pod, from(archive));
        assertChanged(container);
        assertEquals(040755, Files.getAttribute(rootfs(container), "unix:mode"));
        end(pod);
    }

    private void assertChanged(String container) throws Exception {
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(container).getState());
        assertEquals("root:x:0:0:changed:/:/bin/sh\n", Files.readString(rootfs(container).resolve("etc/passwd")));
        assertEquals("new\n", Files.readString(rootfs(container).resolve("new")));
        assertFalse(Files.exists(rootfs(container).resolve("www/index.html")), "a deleted file is back");
        assertEquals("2026-01-01T00:00:00Z stdout F before\n", daemon.log("pod", "again"));
    }

    @Test
    void whatCriuWouldMountOtherwiseThanTheRequestWantsIsRefused() throws Exception {
        String image = TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        Path written = PeerArchive.ofCriO(image, BusyboxImage.NAME).volume("/data", 0).write(directory.resolve("data.tar"));
        ContainerConfig.Builder config = from(written).toBuilder();
        config.addMounts(Mount.newBuilder().setHostPath(directory.toString()).setContainerPath("/data").setReadonly(true));
        assertRefused(pod, config.build(), Status.Code.INVALID_ARGUMENT, "could write to /data");
        config.getMountsBuilder(0).setReadonly(false);
        daemon.pods().create(pod, config.build());
        end(pod);
    }

    @Test
    void aFullDiskIsSaidAndNothingIsLeft() throws Exception {
        String image = TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        Path archive = PeerArchive.ofCriO(image, BusyboxImage.NAME).text("checkpoint/pages-1.img", "x".repeat(3 << 20))
                .write(directory.resolve("large.tar"));
        Path restores = Files.createDirectories(daemon.node().root().resolve("restores"));
        Mounts.tmpfs(restores, 2 << 20, 0700, 0, 0, 0, java.util.Optional.empty());
        try {
            assertRefused(pod, from(archive), Status.Code.RESOURCE_EXHAUSTED, "no space left");
            try (var left = Files.list(restores)) {
                assertEquals(List.of(), left.toList());
            }
        } finally {
            Mounts.unmount(restores);
        }
        end(pod);
    }

    @Test
    void aRuntimeThatIsKilledWhileItRestoresDoesNotTakeTheVolumesWithIt() throws Exception {
        String image = TestImages.busybox(daemon);
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Files.writeString(volume.resolve("precious"), "precious");
        Files.writeString(Path.of(SCRIPT + ".volume"), volume.toString());
        var config = PodClient.config("pod", daemon.node().logs());
        var pod = new PodClient.Pod(daemon.connection().runtime().runPodSandbox(RunPodSandboxRequest.newBuilder()
                .setConfig(config).setRuntimeHandler("killed").build()).getPodSandboxId(), config);
        Path archive = PeerArchive.ofCriO(image, BusyboxImage.NAME).write(directory.resolve("crio.tar"));
        String container = daemon.pods().create(pod, from(archive));
        assertThrows(StatusRuntimeException.class, () -> daemon.pods().start(container));
        assertEquals(128, daemon.pods().status(container).getExitCode());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        assertEquals("precious", Files.readString(volume.resolve("precious")), "the volume was emptied");
        assertEquals(List.of(), Mounts.table().stream().map(each -> each.target().toString())
                .filter(target -> target.contains("criu-root")).toList());
        daemon.assertNothingLeft();
    }

    private void assertRefused(PodClient.Pod pod, ContainerConfig config, Status.Code code, String words) {
        Status refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().create(pod, config)).getStatus();
        assertEquals(code, refused.getCode(), refused.getDescription());
        assertTrue(refused.getDescription().contains(words), refused.getDescription());
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
