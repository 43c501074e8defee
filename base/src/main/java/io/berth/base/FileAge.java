package io.berth.base;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;

/**
 * How long ago a file was written, as far as that can be told on a machine whose clock is set.
 *
 * <p>Only the node's clock has an answer that outlives a process, so files have its times. While this process runs, ages
 * grow by the monotonic clock: a jump ahead makes nothing old. What is dated in the future, because the clock went back,
 * gets the present time: it grows old from now on instead of never.
 */
public final class FileAge {

    private static final Instant STARTED = Instant.now();
    private static final long STARTED_NANOS = System.nanoTime();

    private FileAge() {}

    /** Whether {@code file} was last written {@code age} ago or longer. */
    public static boolean isOlder(Path file, Duration age) throws IOException {
        return isOlder(file, age, STARTED.plusNanos(System.nanoTime() - STARTED_NANOS));
    }

    static boolean isOlder(Path file, Duration age, Instant now) throws IOException {
        Instant written = Files.getLastModifiedTime(file).toInstant();
        if (written.isAfter(now)) {
            Files.setLastModifiedTime(file, FileTime.from(now));
            return !age.isPositive();
        }
        return !written.isAfter(now.minus(age));
    }
}
