package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.VersionRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Starting, ending, and what keeps a daemon from starting. */
@Timeout(120)
class DaemonStartIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    private Path directory;

    private record Ended(int code, String output) {}

    /** Runs the command to its end, with this test's own class path. */
    private Ended berth(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), "io.berth.cli.Main"));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(directory, "out", "");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it runs on: " + Files.readString(output));
        return new Ended(process.exitValue(), Files.readString(output));
    }

    @Test
    void aSocketInUseIsRefusedAndStaysWithItsOwner() throws Exception {
        Path config = Files.writeString(directory.resolve("c.toml"), "[runtime]\nnetwork = \"cni\"\n");
        Ended second = berth("serve", "--config", config.toString(), "--root", directory.resolve("root").toString(),
                "--state", directory.resolve("state").toString(), "--socket", daemon.node().socket().toString());
        assertEquals(1, second.code());
        assertTrue(second.output().contains(daemon.node().socket().toString()) && second.output().contains("--socket"),
                second.output());
        assertEquals("berth",
                daemon.connection().runtime().version(VersionRequest.getDefaultInstance()).getRuntimeName());
    }

    @Test
    void directoriesInUseAreRefused() throws Exception {
        Ended second = berth("serve", "--config", daemon.node().config().toString(), "--root",
                daemon.node().root().toString(), "--state", daemon.node().state().toString(), "--socket",
                directory.resolve("s.sock").toString());
        assertEquals(1, second.code());
        assertTrue(second.output().contains(daemon.node().root().toString()), second.output());
    }

    @Test
    void everyMistakeInTheConfigurationIsReportedAtOnce() throws Exception {
        Path config = Files.writeString(directory.resolve("c.toml"), """
                [runtime]
                netwerk = "builtin"
                shm_size = "big"
                """);
        Ended refused = berth("serve", "--config", config.toString());
        assertEquals(1, refused.code());
        assertTrue(refused.output().contains("netwerk") && refused.output().contains("shm_size"), refused.output());
        assertFalse(Files.exists(directory.resolve("state")));
    }

    @Test
    void aNodeWithoutCniConfigurationSaysSo() throws Exception {
        Path config = Files.writeString(directory.resolve("c.toml"), "[runtime]\nnetwork = \"cni\"\n[runtime.cni]\n"
                + "conf_dir = \"" + directory.resolve("net.d") + "\"\n");
        Path socket = directory.resolve("s.sock");
        var process = io.berth.cli.scratch.DaemonProcess.start(List.of("--config", config.toString(), "--root",
                directory.resolve("root").toString(), "--state", directory.resolve("state").toString(), "--socket",
                socket.toString()), socket, directory.resolve("log"));
        try {
            Ended status = berth("status", "--socket", socket.toString());
            assertEquals(1, status.code());
            assertTrue(status.output().contains("NetworkReady: no") && status.output().contains("net.d"), status.output());
        } finally {
            process.stop();
        }
    }

    @Test
    void twoInstancesRunSideBySide() throws Exception {
        // The second one is that of another extension, started by hand.
        TestDaemon other = TestDaemon.withBuiltinNetwork();
        other.beforeEach(null);
        try {
            TestImages.busybox(daemon);
            TestImages.busybox(other);
            var podHere = daemon.pods().run(PodClient.config("same", daemon.node().logs()));
            var podThere = other.pods().run(PodClient.config("same", other.node().logs()));
            String here = daemon.pods().run(podHere, PodClient.container("c", "sleep", "1000"));
            String there = other.pods().run(podThere, PodClient.container("c", "sleep", "1000"));
            assertEquals("a\n", daemon.pods().exec(here, "echo", "a").getStdout().toStringUtf8());
            assertEquals("b\n", other.pods().exec(there, "echo", "b").getStdout().toStringUtf8());
            daemon.pods().stop(podHere);
            daemon.pods().remove(podHere);
            assertEquals("c\n", other.pods().exec(there, "echo", "c").getStdout().toStringUtf8());
            other.pods().stop(podThere);
            other.pods().remove(podThere);
            other.assertNothingLeft();
        } finally {
            other.stop();
            other.node().tearDown();
        }
    }
}
