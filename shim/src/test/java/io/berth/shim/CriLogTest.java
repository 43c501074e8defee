package io.berth.shim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CriLogTest {

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "a, T stdout P a;", "a;, T stdout F a;", "a;b, T stdout F a;T stdout P b;", ";, T stdout F ;",
        ";;, T stdout F ;T stdout F ;", "a;;b;, T stdout F a;T stdout F ;T stdout F b;", "'', ''"})
    void whatEndsALineIsFullAndTheRestIsAPart(String printed, String lines) {
        byte[] bytes = printed.replace(';', '\n').getBytes(StandardCharsets.UTF_8);
        assertEquals(lines.replace(';', '\n'), new String(CriLog.lines("T", "stdout", bytes, bytes.length), StandardCharsets.UTF_8));
    }

    @Test
    void aLogIsAppendedToAndReopened() throws Exception {
        Path path = directory.resolve("0.log");
        Files.writeString(path, "before\n");
        try (CriLog log = new CriLog("c", Optional.of(path))) {
            log.open();
            log.write("stdout", "one\n".getBytes(StandardCharsets.UTF_8), 4);
            Files.move(path, directory.resolve("1.log"));
            log.open();
            log.write("stderr", "two\n".getBytes(StandardCharsets.UTF_8), 4);
        }
        assertTrue(Files.readString(directory.resolve("1.log")).matches("before\n\\S+ stdout F one\n"));
        String time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}(Z|[+-][0-9]{2}:[0-9]{2})";
        assertTrue(Files.readString(path).matches(time + " stderr F two\n"), Files.readString(path));
    }

    @Test
    void withoutALogNothingIsWritten() {
        try (CriLog log = new CriLog("c", Optional.empty())) {
            log.open();
            log.write("stdout", new byte[] {'a'}, 1);
        }
    }
}
