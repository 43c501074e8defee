package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Hooks of the operator, run by a real runtime. */
@Timeout(120)
class OciHooksIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private Path hooks;
    private Path notes;

    @BeforeEach
    void configure() throws IOException {
        Path directory = daemon.node().directory();
        hooks = Files.createDirectory(directory.resolve("hooks"));
        notes = directory.resolve("notes");
        daemon.stop();
        Files.createDirectories(directory.resolve("config.d"));
        Files.writeString(directory.resolve("config.d/hooks.toml"),
                "[runtime]\ndefault_runtime_name = \"runc\"\nhooks_dir = [\"" + hooks + "\"]\n");
        daemon.start();
        TestImages.busybox(daemon);
    }

    private PodClient.Pod pod(String annotation) {
        return daemon.pods().run(PodClient.config("pod-" + annotation, daemon.node().logs()).toBuilder()
                .putAnnotations("example.com/note", annotation).build());
    }

    @Test
    void aHookRunsAtItsStagesForTheContainersItIsMeantForWithoutARestart() throws IOException {
        Path program = Files.writeString(daemon.node().directory().resolve("note"), """
                #!/bin/sh
                echo "$1 $LEVEL $(tr -d '\\n\\t ' | grep -o '"id":"[0-9a-f]*"')" >> %s
                """.formatted(notes));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String stage : List.of("createRuntime", "poststop")) {
            Files.writeString(hooks.resolve(stage + ".json"), """
                    {"version": "1.0.0", "hook": {"path": "%s", "args": ["note", "%s"], "env": ["PATH=/usr/bin:/bin", "LEVEL=7"],
                     "timeout": 20}, "when": {"annotations": {"^example\\\\.com/note$": "^yes$"}}, "stages": ["%s"]}
                    """.formatted(program, stage, stage));
        }
        var wanted = pod("yes");
        var other = pod("no");
        String container = daemon.pods().run(wanted, PodClient.container("c", "sleep", "1000"));
        daemon.pods().run(other, PodClient.container("c", "sleep", "1000"));
        assertEquals("createRuntime 7 \"id\":\"" + container + "\"\n", Files.readString(notes));
        end(wanted);
        end(other);
        assertEquals("createRuntime 7 \"id\":\"" + container + "\"\npoststop 7 \"id\":\"" + container + "\"\n",
                Files.readString(notes));
    }

    @Test
    void aFileThatIsNotRightRefusesContainersUntilItIsCorrected() throws IOException {
        var pod = pod("yes");
        Path file = Files.writeString(hooks.resolve("half.json"), "{\"version\": \"1.0.0\", ");
        Status refused = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"))).getStatus();
        assertEquals(Status.Code.FAILED_PRECONDITION, refused.getCode(), refused.getDescription());
        assertTrue(refused.getDescription().contains(file.toString()), refused.getDescription());
        Files.delete(file);
        daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        end(pod);
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
    }
}
