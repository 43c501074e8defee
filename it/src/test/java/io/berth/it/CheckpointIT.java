package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.berth.cri.v1.ContainerState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of running containers, with CRIU as it is installed. */
@Timeout(120)
class CheckpointIT {

    @TempDir
    private Path directory;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            enable_criu_support = true
            default_runtime_name = "runc"
            """);

    private Status refusal(String container, String location) {
        return assertThrows(StatusRuntimeException.class, () -> checkpoint(container, location)).getStatus();
    }

    private void checkpoint(String container, String location) {
        daemon.connection().runtime().checkpointContainer(CheckpointContainerRequest.newBuilder().setContainerId(container)
                .setLocation(location).setTimeout(60).build());
    }

    @Test
    void aRunningContainerIsWrittenToAnArchiveOfItsOwnerAloneAndRunsOn() throws Exception {
        InstalledCriu.require();
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "echo mine > /note; sleep 1000"));
        assertEquals("mine\n", daemon.pods().exec(container, "sh", "-c", "until cat /note; do sleep 0.05; done 2>/dev/null")
                .getStdout().toStringUtf8());
        Path archive = directory.resolve("checkpoint.tar");
        checkpoint(container, archive.toString());
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(archive)));
        List<String> names = names(archive);
        assertTrue(names.containsAll(List.of("config.dump", "spec.dump", "dump.log", "rootfs-diff.tar",
                "checkpoint/", "checkpoint/inventory.img", "checkpoint/pstree.img")), names.toString());
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        assertEquals("up\n", daemon.pods().exec(container, "echo", "up").getStdout().toStringUtf8());
        end(pod);
    }

    private static List<String> names(Path archive) throws Exception {
        List<String> names = new ArrayList<>();
        try (InputStream in = Files.newInputStream(archive); TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                names.add(entry.getName());
                if (entry.getName().equals("rootfs-diff.tar")) {
                    assertTrue(new String(tar.readAllBytes()).contains("mine"), "the container's own file is not in the diff");
                }
            }
        }
        return names;
    }

    @Test
    void whatCannotBeWrittenIsRefusedAndLeavesNothing() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertEquals(Status.Code.INVALID_ARGUMENT, refusal(container, "relative.tar").getCode());
        assertEquals(Status.Code.INVALID_ARGUMENT, refusal(container, directory + "/no/such/directory.tar").getCode());
        if (InstalledCriu.failure().isPresent()) {
            Status failed = refusal(container, directory.resolve("x.tar").toString());
            assertEquals(Status.Code.INTERNAL, failed.getCode());
            assertTrue(failed.getDescription().contains("vdso") || failed.getDescription().contains("rror"),
                    failed.getDescription());
            assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        }
        try (var files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
        daemon.pods().stop(pod);
        assertEquals(Status.Code.FAILED_PRECONDITION, refusal(container, directory.resolve("x.tar").toString()).getCode());
        assertFalse(Files.exists(daemon.node().directory().resolve("root/checkpoints/" + container)));
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
