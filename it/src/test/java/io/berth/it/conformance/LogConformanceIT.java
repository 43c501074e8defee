package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ReopenContainerLogRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Logs in the format that the kubelet reads. */
@Timeout(120)
class LogConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private record Logged(Cri.Pod pod, String id, Path log) {

        List<CriLog> after(int lines) {
            Cri.await(lines + " lines of log", () -> CriLog.read(log).size() >= lines);
            return CriLog.read(log);
        }
    }

    private static Logged run(boolean tty, String script) {
        var pod = CRI.pod();
        var config = CRI.containerConfig(pod, "sh", "-c", script).setTty(tty).build();
        String id = CRI.create(pod, config);
        CRI.start(id);
        return new Logged(pod, id, CRI.logFile(pod, config.getMetadata().getName()));
    }

    /** Lines as they were written: a monitor may cut one wherever its buffer ends. */
    private static List<String> joined(List<CriLog> lines) {
        StringBuilder all = new StringBuilder();
        lines.forEach(line -> all.append(line.text()).append(line.partial() ? "" : "\n"));
        return all.toString().lines().toList();
    }

    private static List<String> texts(List<CriLog> lines, String stream) {
        return lines.stream().filter(line -> line.stream().equals(stream)).map(CriLog::text).toList();
    }

    @Test
    void bothStreamsAreLoggedWithTheirNames() {
        var lines = run(false, "echo one; echo two >&2; echo three").after(3);
        assertEquals(List.of("one", "three"), texts(lines, "stdout"));
        assertEquals(List.of("two"), texts(lines, "stderr"));
        assertTrue(lines.stream().noneMatch(CriLog::partial));
    }

    @Test
    void theTimesAreThoseOfTheWriting() {
        OffsetDateTime before = OffsetDateTime.now().minusSeconds(1);
        var lines = run(false, "echo one; sleep 0.3; echo two").after(2);
        assertTrue(lines.getFirst().time().isAfter(before) && lines.getFirst().time().isBefore(OffsetDateTime.now().plusSeconds(1)));
        assertTrue(Duration.between(lines.get(0).time(), lines.get(1).time()).toMillis() >= 200);
    }

    @Test
    void aLineWithoutAnEndIsMarkedAsPart() {
        Logged logged = run(false, "printf 'no end'");
        CRI.ended(logged.id);
        var lines = logged.after(1);
        assertEquals("no end", lines.getFirst().text());
    }

    @Test
    void aLongLineComesInPartsThatMakeTheWhole() {
        Logged logged = run(false, "head -c 100000 /dev/zero | tr '\\0' x; echo; echo last");
        CRI.ended(logged.id);
        Cri.await("the last line", () -> CriLog.read(logged.log).stream().anyMatch(line -> line.text().equals("last")));
        var lines = CriLog.read(logged.log);
        assertTrue(lines.getFirst().partial());
        assertEquals(100_000, lines.stream().filter(line -> !line.text().equals("last")).map(CriLog::text)
                .collect(Collectors.joining()).length());
    }

    @Test
    void emptyLinesAndOddBytesAreKept() {
        var lines = run(false, "echo; echo '  spaces  '; printf 'tab\\tend\\n'").after(3);
        assertEquals(List.of("", "  spaces  ", "tab\tend"), texts(lines, "stdout"));
    }

    @Test
    void aTerminalsOutputIsAllStandardOutput() {
        var lines = run(true, "echo one; echo two >&2").after(2);
        assertEquals(List.of("one", "two"), texts(lines, "stdout").stream().map(String::stripTrailing).toList());
    }

    @Test
    void nothingIsLostOfMuchOutput() {
        Logged logged = run(false, "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
        CRI.ended(logged.id);
        Cri.await("the last line", () -> joined(CriLog.read(logged.log)).size() >= 5000);
        var lines = joined(CriLog.read(logged.log));
        for (int i = 0; i < 5000; i++) {
            assertEquals("line " + i, lines.get(i));
        }
    }

    @Test
    void aReopenedLogIsWrittenAnew() throws Exception {
        Logged logged = run(false, "while :; do echo tick; sleep 0.02; done");
        logged.after(1);
        Path old = Files.move(logged.log, logged.log.resolveSibling("rotated.log"));
        CRI.runtime().reopenContainerLog(ReopenContainerLogRequest.newBuilder().setContainerId(logged.id).build());
        Cri.await("the new log", () -> Files.exists(logged.log));
        long size = Files.size(old);
        logged.after(3);
        assertEquals(size, Files.size(old));
    }

    @Test
    void onlyARunningContainersLogIsReopened() {
        Logged logged = run(false, "true");
        CRI.ended(logged.id);
        Cri.refused(() -> CRI.runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId(logged.id).build()));
        Cri.refused(() -> CRI.runtime().reopenContainerLog(
                ReopenContainerLogRequest.newBuilder().setContainerId("no-such-container").build()));
    }

    @Test
    void withoutALogPathThereIsNoLog() {
        var pod = CRI.pod();
        String id = CRI.run(pod, config -> config.clearLogPath(), "echo", "unheard");
        assertEquals(0, CRI.ended(id).getExitCode());
        assertFalse(Files.exists(Path.of(pod.config().getLogDirectory(), ".log")));
    }

    @Test
    void aLogInASubdirectoryWorks() {
        var pod = CRI.pod();
        CRI.run(pod, config -> config.setLogPath("sub/0.log"), "echo", "heard");
        Path log = Path.of(pod.config().getLogDirectory(), "sub/0.log");
        Cri.await("the log", () -> !CriLog.read(log).isEmpty());
        assertEquals("heard", CriLog.read(log).getFirst().text());
    }

    @Test
    void aLogDirectoryThatGoesThroughAnAbsentOneIsTheOneItNames() {
        var pod = CRI.pod(config -> config.setLogDirectory(config.getLogDirectory() + "/absent/../logs"));
        Path log = Path.of(pod.config().getLogDirectory(), "0.log").normalize();
        CRI.run(pod, config -> config.setLogPath("0.log"), "echo", "heard");
        Cri.await("the log", () -> !CriLog.read(log).isEmpty());
        assertEquals("heard", CriLog.read(log).getFirst().text());
    }
}
