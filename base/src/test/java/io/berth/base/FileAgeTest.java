package io.berth.base;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileAgeTest {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    private Path directory;

    private Path written(Instant at) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "");
        return Files.setLastModifiedTime(file, FileTime.from(at));
    }

    @Test
    void whatWasWrittenLongAgoIsOlder() throws IOException {
        assertTrue(FileAge.isOlder(written(NOW.minus(HOUR)), HOUR, NOW));
        assertFalse(FileAge.isOlder(written(NOW.minus(HOUR).plusSeconds(1)), HOUR, NOW));
    }

    @Test
    void whatIsDatedInTheFutureGrowsOldFromNowOn() throws IOException {
        Path file = written(NOW.plus(Duration.ofDays(36_500)));
        assertFalse(FileAge.isOlder(file, HOUR, NOW));
        assertFalse(FileAge.isOlder(file, HOUR, NOW.plus(HOUR).minusSeconds(1)));
        assertTrue(FileAge.isOlder(file, HOUR, NOW.plus(HOUR)));
    }

    @Test
    void zeroAgeIsReachedAtOnce() throws IOException {
        assertTrue(FileAge.isOlder(written(Instant.now().minusSeconds(2)), Duration.ZERO));
    }
}
