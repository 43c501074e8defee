package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint that comes at a moment which CRIU cannot do with: a runtime in front of the real one says so. */
@Timeout(120)
class CheckpointAgainIT {

    private static final Path SCRIPT = script();

    @TempDir
    private Path directory;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            enable_criu_support = true
            default_runtime_name = "late"
            [runtime.runtimes.late]
            runtime_path = "%s"
            """.formatted(SCRIPT));

    private static Path script() {
        try {
            Path script = Files.createTempFile("berth-late", "runtime");
            Files.writeString(script, """
                    #!/bin/sh
                    for word; do
                      case "$word" in --version) echo "a wrapper of runc"; exit 0;; checkpoint|pause|resume) verb=$word;; esac
                      case "$before" in --image-path) images=$word;; --work-path) work=$word;; esac
                      before=$word
                    done
                    [ -z "$verb" ] || echo $verb >> %1$s.verbs
                    [ "$verb" = checkpoint ] || exec runc "$@"
                    left=$(cat %1$s.left)
                    if [ $left -gt 0 ]; then
                      echo $((left-1)) > %1$s.left
                      echo half > "$images/half.img"
                      why="Unseizable non-zombie 17 found, state D, err -1/4"
                      echo "(10.01) Error (compel/src/lib/infect.c:261): $why" > "$work/dump.log"
                      exit 1
                    fi
                    echo whole > "$images/inventory.img"
                    """.formatted(script));
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
            return script;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterAll
    static void removeScript() throws IOException {
        for (String suffix : List.of("", ".verbs", ".left")) {
            Files.deleteIfExists(Path.of(SCRIPT + suffix));
        }
    }

    private List<String> checkpoint(String container, int refusals) throws IOException {
        Files.deleteIfExists(Path.of(SCRIPT + ".verbs"));
        Files.writeString(Path.of(SCRIPT + ".left"), Integer.toString(refusals));
        Path archive = directory.resolve("checkpoint.tar");
        daemon.connection().runtime().checkpointContainer(CheckpointContainerRequest.newBuilder().setContainerId(container)
                .setLocation(archive.toString()).setTimeout(60).build());
        List<String> names = new ArrayList<>();
        try (InputStream in = Files.newInputStream(archive); TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                names.add(entry.getName());
            }
        }
        return names;
    }

    private static List<String> verbs() throws IOException {
        return Files.readAllLines(Path.of(SCRIPT + ".verbs"));
    }

    @Test
    void itIsTriedAtAnotherMomentAndNothingOfTheFirstIsInIt() throws IOException {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        List<String> names = checkpoint(container, 1);
        assertTrue(names.contains("checkpoint/inventory.img") && !names.contains("checkpoint/half.img"), names.toString());
        assertEquals(List.of("pause", "checkpoint", "resume", "pause", "checkpoint", "resume"), verbs());
        assertEquals("up\n", daemon.pods().exec(container, "echo", "up").getStdout().toStringUtf8());

        var failed = assertThrows(StatusRuntimeException.class, () -> checkpoint(container, 100));
        assertTrue(failed.getMessage().contains("Unseizable"), failed.getMessage());
        assertEquals(3, verbs().stream().filter("checkpoint"::equals).count());
        assertEquals("up\n", daemon.pods().exec(container, "echo", "up").getStdout().toStringUtf8());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
