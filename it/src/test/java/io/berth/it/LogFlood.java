package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ReopenContainerLogRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A container that writes ten megabytes a second where the machine has room for it, in lines of a megabyte. Its log is rotated as the kubelet does it,
 * and read: no line may be lost or torn. Used by one thread; {@link #end} removes the pod.
 */
final class LogFlood {

    private static final int LINE_BYTES = 1 << 20;
    private static final String PROGRAM = "i=0; while [ ! -e /tmp/end ]; do echo line $i; head -c " + LINE_BYTES
            + " /dev/zero | tr '\\0' x; echo; i=$((i+1)); sleep 0.05; done; echo end";

    private final TestDaemon daemon;
    private final PodClient.Pod pod;
    private final String container;
    private final Path log;
    private final long startedNanos = System.nanoTime();
    /** Rotated, not read yet: what was written last may still be on its way when the log was reopened. */
    private final Deque<Path> rotated = new ArrayDeque<>();
    private int rotations;
    private int lines;
    private boolean megabyteNext;
    private boolean ended;
    private long partBytes;

    private LogFlood(TestDaemon daemon, PodClient.Pod pod, String container, Path log) {
        this.daemon = daemon;
        this.pod = pod;
        this.container = container;
        this.log = log;
    }

    static LogFlood start(TestDaemon daemon) {
        PodClient.Pod pod = daemon.pods().run(PodClient.config("flood", daemon.node().logs()));
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", PROGRAM));
        return new LogFlood(daemon, pod, container, daemon.node().logs().resolve("flood/c.log"));
    }

    /** Rotates once, reads what was rotated before that and removes it. */
    void rotate() throws IOException {
        Path moved = log.resolveSibling("c.log." + rotations++);
        Files.move(log, moved, StandardCopyOption.ATOMIC_MOVE);
        daemon.connection().runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId(container).build());
        rotated.add(moved);
        if (rotated.size() > 1) {
            readOldest();
        }
    }

    /** Ends it and reads the rest. Says how much came. */
    String end() throws IOException {
        daemon.pods().exec(container, "touch", "/tmp/end");
        assertEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(60)).getExitCode());
        rotated.add(log);
        while (!rotated.isEmpty()) {
            readOldest();
        }
        assertTrue(ended, "the last line of the flood did not come");
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        return String.format("log: %d lines of a megabyte, %.1f MB/s, %d rotations", lines, lines * (LINE_BYTES / 1e6)
                / ((System.nanoTime() - startedNanos) / 1e9), rotations);
    }

    private void readOldest() throws IOException {
        Path file = rotated.removeFirst();
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] fields = line.split(" ", 4);
                assertTrue(fields.length == 4 && fields[0].matches("\\d{4}-\\d\\d-\\d\\dT\\S+") && fields[1].equals("stdout")
                        && fields[2].matches("[PF]"), "torn: " + line.substring(0, Math.min(200, line.length())));
                take(fields[3], fields[2].equals("F"));
            }
        }
        Files.delete(file);
    }

    private void take(String text, boolean last) {
        if (megabyteNext) {
            partBytes += text.length();
            assertTrue(text.isEmpty() || text.charAt(0) == 'x' && text.charAt(text.length() - 1) == 'x', "mixed: " + text);
            if (last) {
                assertEquals(LINE_BYTES, partBytes, "bytes of line " + lines);
                partBytes = 0;
                megabyteNext = false;
                lines++;
            }
        } else if (text.equals("end")) {
            ended = true;
        } else {
            assertEquals("line " + lines, text);
            megabyteNext = true;
        }
    }
}
