package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.linux.Mounts;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A disk that is full makes new work fail with a clear word, harms nothing that runs, and needs nobody when it has room. */
@Timeout(120)
class FullDiskFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    private final List<Path> mounted = new ArrayList<>();

    /** Puts a small file system at {@code directory}, which is empty or does not exist, and starts the daemon on it. */
    private void small(Path directory, long bytes) throws IOException {
        daemon.stop();
        if (Files.exists(directory)) {
            try (var all = Files.walk(directory)) {
                for (Path path : (Iterable<Path>) all.sorted(java.util.Comparator.reverseOrder())::iterator) {
                    Files.delete(path);
                }
            }
        }
        Files.createDirectories(directory);
        Mounts.tmpfs(directory, bytes, 0755, 0, 0, 0);
        mounted.add(directory);
        daemon.start();
    }

    @AfterEach
    void unmount() {
        daemon.stop();
        mounted.forEach(Mounts::unmount);
    }

    private static Path fill(Path directory) throws IOException {
        Path filler = directory.resolve("filler");
        byte[] block = new byte[4096];
        try (OutputStream out = Files.newOutputStream(filler)) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            return filler;
        }
    }

    private void assertNothingLeft() {
        List<String> left = new ArrayList<>(daemon.node().podTracesAtRest(Optional.of(daemon.process())).lines());
        left.removeIf(line -> mounted.stream().anyMatch(mount -> line.equals("mounts: tmpfs at " + mount)));
        assertEquals(List.of(), left);
    }

    private void assertRefusedForLackOfSpace(Runnable call) {
        String told = assertThrows(StatusRuntimeException.class, call::run).getMessage();
        assertTrue(told.toLowerCase(Locale.ROOT).contains("no space left"), told);
    }

    private void aFullDiskAt(Path directory, long bytes) throws Exception {
        small(directory, bytes);
        TestImages.busybox(daemon);
        Witness witness = Witness.start(daemon);
        var pod = daemon.pods().run(PodClient.config("before", daemon.node().logs()));
        String ending = daemon.pods().run(pod, PodClient.container("ending", "sh", "-c", "sleep 1; exit 5"));

        Path filler = fill(directory);
        assertRefusedForLackOfSpace(() -> daemon.pods().run(PodClient.config("refused", daemon.node().logs())));
        assertRefusedForLackOfSpace(() -> daemon.pods().create(pod, PodClient.container("refused", "sleep", "1000")));
        witness.assertUnharmed("a full disk");
        // Not even a restart on the full disk loses anything.
        daemon.kill9();
        daemon.start();
        witness.assertUnharmed("a restart on a full disk");
        Thread.sleep(1200);

        Files.delete(filler);
        var ended = daemon.pods().awaitExit(ending, java.time.Duration.ofSeconds(30));
        // Where the monitor had no room for its exit file, the code is lost, and that is what is told.
        assertTrue(ended.getExitCode() == 5 || directory.equals(daemon.node().state()) && ended.getExitCode() == 255
                && ended.getMessage().contains("lost"), ended.toString());
        String created = daemon.pods().run(pod, PodClient.container("refused", "sleep", "1000"));
        assertEquals("a\n", daemon.pods().exec(created, "echo", "a").getStdout().toStringUtf8());
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        witness.assertLogWhole();
        witness.end();
        assertNothingLeft();
    }

    @Test
    void theRootDirectory() throws Exception {
        aFullDiskAt(daemon.node().root(), 24 << 20);
    }

    @Test
    void theStateDirectory() throws Exception {
        aFullDiskAt(daemon.node().state(), 4 << 20);
    }

    @Test
    void aLogDirectory() throws Exception {
        small(daemon.node().logs(), 1 << 20);
        TestImages.busybox(daemon);
        Witness witness = Witness.start(daemon);
        witness.assertUnharmed("its start");
        Path filler = fill(daemon.node().logs());
        Thread.sleep(1000);
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(witness.container()).getState());
        assertEquals("a\n", daemon.pods().exec(witness.container(), "echo", "a").getStdout().toStringUtf8());
        Files.delete(filler);
        witness.assertUnharmed("a full log directory");
        // What came while it was full is lost; the line that it became full at ends with the room there was.
        List<String> lines = daemon.log("witness", "ticking").lines().toList();
        long torn = lines.stream().filter(line -> !line.matches("\\S+ stdout F tick [0-9]+")).count();
        assertTrue(torn <= 1, torn + " of " + lines.size() + " lines are torn: " + lines);
        witness.end();
        assertNothingLeft();
    }
}
