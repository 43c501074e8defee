package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ReopenContainerLogRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No line of a log is lost or torn: over rotations, crashes of the daemon, and with lines of a megabyte. */
@Timeout(120)
class LogFaultIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    /** The text of each whole line of a CRI log: parts are put together. Each line must have the form that the CRI has. */
    private static List<String> lines(List<Path> files) throws IOException {
        List<String> whole = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (Path file : files) {
            for (String line : Files.readAllLines(file)) {
                String[] fields = line.split(" ", 4);
                assertTrue(fields.length == 4 && fields[0].matches("\\d{4}-\\d\\d-\\d\\dT\\S+") && fields[1].equals("stdout")
                        && fields[2].matches("[PF]"), "torn: " + line.substring(0, Math.min(200, line.length())));
                part.append(fields[3]);
                if (fields[2].equals("F")) {
                    whole.add(part.toString());
                    part.setLength(0);
                }
            }
        }
        assertEquals("", part.toString(), "the last line has no end");
        return whole;
    }

    @Test
    void noLineIsLostWhileTheLogIsRotatedAndTheDaemonIsKilled() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "i=0; while [ ! -e /tmp/end ]; do echo line $i; i=$((i+1)); [ $((i % 500)) -ne 0 ] || sleep 0.1; done"));
        Path log = daemon.node().logs().resolve("pod/c.log");
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            Path rotated = log.resolveSibling("c.log." + i);
            Files.move(log, rotated, StandardCopyOption.ATOMIC_MOVE);
            files.add(rotated);
            daemon.connection().runtime().reopenContainerLog(
                    ReopenContainerLogRequest.newBuilder().setContainerId(container).build());
            if (i == 4) {
                daemon.kill9();
                daemon.start();
            }
            Thread.sleep(100);
        }
        files.add(log);
        daemon.pods().exec(container, "touch", "/tmp/end");
        assertEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(60)).getExitCode());
        List<String> lines = lines(files);
        assertTrue(lines.size() > 2000, "only " + lines.size() + " lines came");
        for (int i = 0; i < lines.size(); i++) {
            assertEquals("line " + i, lines.get(i));
        }
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    @Test
    void aMegabyteWithoutALineBreakIsKeptInParts() throws Exception {
        TestImages.busybox(daemon);
        var pod = daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "for c in a b c; do head -c 1048576 /dev/zero | tr '\\0' $c; echo; done; echo end"));
        assertEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(30)).getExitCode());
        List<String> whole = lines(List.of(daemon.node().logs().resolve("pod/c.log")));
        assertEquals(List.of("a".repeat(1 << 20), "b".repeat(1 << 20), "c".repeat(1 << 20), "end"), whole);
        assertTrue(Files.readAllLines(daemon.node().logs().resolve("pod/c.log")).stream().allMatch(line ->
                line.length() <= 20_000), "a line is longer than a reader expects");
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }
}
