package io.berth.cli.logs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class PrintLogTest {

    private static final String FIRST = "2026-11-24T00:00:01.000000001+00:00 stdout F one\n";
    private static final String SECOND = "2026-11-24T00:00:02.5Z stderr F two\n";
    private static final String THIRD = "2026-11-24T01:00:03+01:00 stdout P thr\n2026-11-24T00:00:03Z stdout F ee\n";

    @TempDir
    private Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Path log(String text) throws IOException {
        return Files.writeString(directory.resolve("0.log"), text);
    }

    private void print(Path path, Optional<String> since, long tail, boolean timestamps) throws InterruptedException {
        new PrintLog(since.map(Instant::parse), tail, timestamps, out, err).print(path, () -> false);
    }

    @Test
    void eachStreamGoesToItsOwnAndPartialLinesAreJoined() throws Exception {
        print(log(FIRST + SECOND + THIRD), Optional.empty(), -1, false);
        assertEquals("one\nthree\n", out.toString(UTF_8));
        assertEquals("two\n", err.toString(UTF_8));
    }

    @Test
    void timesStandOnceBeforeAWholeLine() throws Exception {
        print(log(FIRST + THIRD), Optional.empty(), -1, true);
        assertEquals("2026-11-24T00:00:01.000000001Z one\n2026-11-24T00:00:03Z three\n", out.toString(UTF_8));
    }

    @Test
    void olderLinesAreLeftOut() throws Exception {
        print(log(FIRST + SECOND + THIRD), Optional.of("2026-11-24T00:00:02.5Z"), -1, false);
        assertEquals("three\n", out.toString(UTF_8));
        assertEquals("two\n", err.toString(UTF_8));
    }

    @ParameterizedTest
    @CsvSource({"0, ''", "1, c", "2, bc", "3, abc", "9, abc"})
    void theTailIsTheLastLines(long tail, String expected) throws Exception {
        String line = "2026-11-24T00:00:01Z stdout F ";
        print(log(line + "a\n" + line + "b\n" + line + "c\n"), Optional.empty(), tail, false);
        assertEquals(expected, out.toString(UTF_8).replace("\n", ""));
    }

    @Test
    void theTailOfALogOfManyBlocksIsFound() throws Exception {
        String line = "2026-11-24T00:00:01Z stdout F " + "x".repeat(1000) + "%04d\n";
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 500; i++) {
            text.append(line.formatted(i));
        }
        print(log(text.toString()), Optional.empty(), 200, false);
        List<String> lines = out.toString(UTF_8).lines().toList();
        assertEquals(List.of(200, "0300", "0499"), List.of(lines.size(), lines.getFirst().substring(1000),
                lines.getLast().substring(1000)));
    }

    @Test
    void aFollowerReadsWhatIsWrittenBeforeAndAfterARotationAndATruncation() throws Exception {
        Path path = log(FIRST);
        Queue<Step> steps = new ArrayDeque<>(List.of(
                () -> Files.writeString(path, "2026-11-24T00:00:02Z stdout F before\n", StandardOpenOption.APPEND),
                () -> {
                    Files.writeString(path, "2026-11-24T00:00:02Z stdout F late\n", StandardOpenOption.APPEND);
                    Files.move(path, directory.resolve("0.log.old"));
                },
                () -> Files.writeString(path, "2026-11-24T00:00:03Z stdout F after\n"),
                () -> Files.writeString(path, "2026-11-24T00:00:04Z stdout F cut\n"),
                () -> { }));
        new PrintLog(Optional.empty(), -1, false, out, err).print(path, () -> {
            steps.remove().go();
            return !steps.isEmpty();
        });
        assertEquals("one\nbefore\nlate\nafter\ncut\n", out.toString(UTF_8));
    }

    private interface Step {
        void run() throws IOException;

        default void go() {
            try {
                run();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"'no format at all'", "'2026-11-24T00:00:01Z stdin F text'", "'yesterday stdout F text'", "''"})
    void aLineOfAnotherFormatIsShownAsItIs(String line) throws Exception {
        print(log(line + "\n"), Optional.of("2030-01-01T00:00:00Z"), -1, true);
        assertEquals(line + "\n", out.toString(UTF_8));
    }

    @Test
    void aLogThatIsNotThereIsToldByName() {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> print(directory.resolve("none.log"), Optional.empty(), -1, false));
        assertEquals(RuntimeFault.Kind.NOT_FOUND, fault.kind());
    }
}
