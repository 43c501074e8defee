package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.StopContainerRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Containers that go on from a checkpoint: with CRIU as it is installed where memory is needed, and hostile ones anywhere. */
@Timeout(300)
class RestoreIT {

    /** Counts on a descriptor that it holds open, in memory and on its output. */
    private static final String COUNTER = "rm /www/index.html; exec 3>>/count; i=0; trap 'exit 7' TERM;"
            + " while true; do i=$((i+1)); echo $i; echo $i >&3; sleep 0.1; done";

    @TempDir
    private Path directory;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            enable_criu_support = true
            enable_checkpoint_images = true
            default_runtime_name = "runc"
            """);

    private PodClient.Pod pod(String name) {
        return daemon.pods().run(PodClient.config(name, daemon.node().logs()));
    }

    private static ContainerConfig from(String image) {
        return PodClient.container("again").toBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build();
    }

    private String lastCount(String container) {
        return daemon.pods().exec(container, "tail", "-n", "1", "/count").getStdout().toStringUtf8().strip();
    }

    private int awaitCount(String container, int least) throws InterruptedException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < deadline) {
            String count = lastCount(container);
            if (count.matches("[0-9]+") && Integer.parseInt(count) >= least) {
                return Integer.parseInt(count);
            }
            Thread.sleep(20);
        }
        throw new AssertionError("it never counted to " + least + ": " + lastCount(container));
    }

    private Path checkpointOfACounter(PodClient.Pod pod) throws Exception {
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", COUNTER));
        awaitCount(container, 5);
        Path archive = directory.resolve("counter.tar");
        daemon.connection().runtime().checkpointContainer(CheckpointContainerRequest.newBuilder().setContainerId(container)
                .setLocation(archive.toString()).setTimeout(60).build());
        return archive;
    }

    @Test
    void aContainerGoesOnWhereItsCheckpointLeftIt() throws Exception {
        InstalledCriu.require();
        String image = TestImages.busybox(daemon);
        var first = pod("first");
        Path archive = checkpointOfACounter(first);
        daemon.pods().stop(first);
        daemon.pods().remove(first);
        var second = pod("second");
        String again = daemon.pods().create(second, from(archive.toString()));
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(again).getState());
        daemon.kill9();
        daemon.start();
        assertEquals(ContainerState.CONTAINER_CREATED, daemon.pods().status(again).getState());
        daemon.pods().start(again);
        int count = awaitCount(again, 10);
        List<String> counted = daemon.pods().exec(again, "cat", "/count").getStdout().toStringUtf8().lines().toList();
        for (int i = 0; i < counted.size(); i++) {
            assertEquals(Integer.toString(i + 1), counted.get(i), "memory and file do not go together");
        }
        assertEquals(1, daemon.pods().exec(again, "test", "-e", "/www/index.html").getExitCode(), "a deleted file is back");
        var status = daemon.pods().status(again);
        assertEquals(ContainerState.CONTAINER_RUNNING, status.getState());
        assertEquals(image, status.getImageId());
        assertEquals("true", status.getAnnotationsOrThrow("restored"));
        assertEquals(archive.toString(), status.getAnnotationsOrThrow("checkpointImage"));
        assertFalse(Files.exists(daemon.node().root().resolve("restores").resolve(again)), "the memory is still on the disk");
        daemon.kill9();
        daemon.start();
        awaitCount(again, count + 5);
        assertTrue(daemon.log("second", "again").contains(" stdout F 1\n"), "the log does not begin with the old lines");
        assertTrue(daemon.log("second", "again").contains(" stdout F " + (count + 1) + "\n"), "the log does not go on");
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(again).setTimeout(20).build());
        assertEquals(7, daemon.pods().status(again).getExitCode());
        end(second);
    }

    @Test
    void aContainerThatWaitsForItsRestoreCanBeStoppedAndOneThatCannotBeRestoredSaysWhy() throws Exception {
        InstalledCriu.require();
        TestImages.busybox(daemon);
        var pod = pod("pod");
        Path archive = checkpointOfACounter(pod);
        String waiting = daemon.pods().create(pod, from(archive.toString()));
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(waiting).setTimeout(20).build());
        assertEquals(137, daemon.pods().status(waiting).getExitCode());
        ContainerConfig other = from(archive.toString()).toBuilder().setMetadata(
                PodClient.container("broken").getMetadata()).setLogPath("broken.log").build();
        String broken = daemon.pods().create(pod, other);
        Files.delete(daemon.node().root().resolve("restores/" + broken + "/checkpoint/pstree.img"));
        Status failed = assertThrows(StatusRuntimeException.class, () -> daemon.pods().start(broken)).getStatus();
        assertEquals(Status.Code.INTERNAL, failed.getCode());
        assertTrue(failed.getDescription().contains("Error"), failed.getDescription());
        assertEquals(128, daemon.pods().status(broken).getExitCode());
        ContainerConfig more = from(archive.toString()).toBuilder().setMetadata(PodClient.container("more").getMetadata())
                .addMounts(Mount.newBuilder().setHostPath(directory.toString()).setContainerPath("/more")).build();
        assertRefused(pod, more, Status.Code.INVALID_ARGUMENT, "no mounts at /more");
        end(pod);
    }

    @Test
    void anImageThatSaysThatItIsACheckpointIsOne() throws Exception {
        InstalledCriu.require();
        TestImages.busybox(daemon);
        var pod = pod("pod");
        CheckpointImage.importInto(daemon, directory.resolve("image"), Files.readAllBytes(checkpointOfACounter(pod)), "localhost/counter:1");
        String original = daemon.connection().runtime().listContainers(ListContainersRequest.getDefaultInstance())
                .getContainers(0).getId();
        String again = daemon.pods().run(pod, from("localhost/counter:1"));
        assertOwnCgroup(again, original);
        awaitCount(again, 10);
        awaitCount(original, Integer.parseInt(lastCount(original)) + 3);
        assertEquals("localhost/counter:1", daemon.pods().status(again).getAnnotationsOrThrow("checkpointImage"));
        end(pod);
    }

    // The group of the container that was written, which still runs, would be the wrong one.
    private void assertOwnCgroup(String container, String original) throws Exception {
        String first = Files.readString(daemon.node().state().resolve("containers/" + container + "/pid")).strip();
        String groups = Files.readString(Path.of("/proc/" + first + "/cgroup"));
        assertTrue(groups.contains(container), groups);
        assertFalse(groups.contains(original), groups);
    }

    @Test
    void hostileCheckpointsAreRefusedAndLeaveNothing() throws Exception {
        TestImages.busybox(daemon);
        var pod = pod("pod");
        assertRefused(pod, from("/no/such.tar"), Status.Code.NOT_FOUND, "neither");
        assertRefused(pod, from(archive(Map.of("x", "y"))), Status.Code.INVALID_ARGUMENT, "no config.dump");
        assertRefused(pod, from(archive(files("config.dump", "{"))), Status.Code.INVALID_ARGUMENT, "no JSON");
        assertRefused(pod, from(archive(files("config.dump", "[1]"))), Status.Code.INVALID_ARGUMENT, "no JSON object");
        assertRefused(pod, from(archive(files("config.dump", " ".repeat(2 << 20)))), Status.Code.INVALID_ARGUMENT, "limit");
        assertRefused(pod, from(archive(files("config.dump", "{\"rootfsImageName\": \"localhost/other:1\"}"))),
                Status.Code.NOT_FOUND, "pull it first");
        assertRefused(pod, from(archive(files("deleted.files", "[\"/../../etc/passwd\"]"))), Status.Code.DATA_LOSS, "upwards");
        assertRefused(pod, from(archive(files("rootfs-diff.tar", "no tar at all".repeat(100)))), Status.Code.DATA_LOSS, "");
        Path open = Path.of(archive(files("config.dump", "{}")));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertRefused(pod, from(open.toString()), Status.Code.PERMISSION_DENIED, "chmod 600");
        assertRefused(pod, from(archive(files("spec.dump", """
                {"mounts": [{"destination": "/secret", "type": "bind", "source": "/root"}]}"""))),
                Status.Code.INVALID_ARGUMENT, "ask for mounts at /secret");
        assertRefused(pod, from(archive(files("spec.dump", "{}"))), Status.Code.INVALID_ARGUMENT, "namespace");
        assertEquals(List.of(), list(daemon.node().root().resolve("restores")));
        end(pod);
    }

    private static List<Path> list(Path directory) throws Exception {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (var all = Files.list(directory)) {
            return all.toList();
        }
    }

    private void assertRefused(PodClient.Pod pod, ContainerConfig config, Status.Code code, String words) {
        Status refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().create(pod, config)).getStatus();
        assertEquals(code, refused.getCode(), refused.getDescription());
        assertTrue(refused.getDescription().contains(words), refused.getDescription());
    }

    /** A checkpoint of a busybox but for one file. */
    private static Map<String, String> files(String name, String content) {
        Map<String, String> files = new LinkedHashMap<>(Map.of(
                "config.dump", "{\"rootfsImageName\": \"" + io.berth.cli.scratch.BusyboxImage.NAME + "\"}",
                "spec.dump", "{\"process\": {\"args\": [\"x\"]}}", "checkpoint/inventory.img", "x"));
        files.put(name, content);
        return files;
    }

    private String archive(Map<String, String> files) throws Exception {
        Path archive = Files.createTempFile(directory, "hostile", ".tar");
        try (OutputStream out = Files.newOutputStream(archive); TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (Map.Entry<String, String> file : files.entrySet()) {
                byte[] bytes = file.getValue().getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
                entry.setSize(bytes.length);
                tar.putArchiveEntry(entry);
                tar.write(bytes);
                tar.closeArchiveEntry();
            }
        }
        return archive.toString();
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
