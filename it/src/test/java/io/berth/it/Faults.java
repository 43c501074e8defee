package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The other end of the daemon's failpoints: arms them, sees which were passed. Points are written as
 * {@code before RunPodSandbox/network}.
 *
 * @param directory where daemon and test meet
 */
record Faults(Path directory) {

    private static final long HELD_LIMIT_NANOS = 30_000_000_000L;
    private static final long HIT_LIMIT_NANOS = 2_000_000_000L;

    /** The options with which the daemon's Java machine looks here. */
    List<String> options() {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return List.of("-Dberth.failpoints=" + directory, "-XX:TieredStopAtLevel=1");
    }

    /** Replaces what is armed, and forgets what was passed. Each line is "EDGE POINT ACTION". */
    void arm(String... lines) {
        try {
            Files.deleteIfExists(directory.resolve("passed"));
            Files.write(directory.resolve("armed"), List.of(lines));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until nothing is armed that was not hit: what follows a client's end comes a moment later. */
    void awaitAllHit(String armed) throws InterruptedException {
        long deadline = System.nanoTime() + HIT_LIMIT_NANOS;
        while (!lines("armed").isEmpty()) {
            assertTrue(System.nanoTime() < deadline, "not hit: " + armed);
            Thread.sleep(2);
        }
    }

    /** The steps that were begun since the last {@link #arm}, in their order. */
    Set<String> begun() {
        return passed("before ");
    }

    /** The steps that were done since the last {@link #arm}, in their order. */
    Set<String> done() {
        return passed("after ");
    }

    private Set<String> passed(String edge) {
        Set<String> steps = new LinkedHashSet<>();
        lines("passed").stream().filter(line -> line.startsWith(edge)).map(line -> line.substring(edge.length()))
                .forEach(steps::add);
        return steps;
    }

    /** Waits until a thread of the daemon stands at {@code point}. */
    void awaitHeld(String point) throws InterruptedException {
        long deadline = System.nanoTime() + HELD_LIMIT_NANOS;
        while (!Files.exists(held(point))) {
            assertTrue(System.nanoTime() < deadline, "never reached: " + point + ", but " + begun());
            Thread.sleep(2);
        }
    }

    /** Lets the thread that stands at {@code point} go on, or forgets one that has died there. */
    void release(String point) {
        try {
            Files.deleteIfExists(held(point));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path held(String point) {
        return directory.resolve("held " + point.replace('/', ' '));
    }

    private List<String> lines(String file) {
        try {
            Path path = directory.resolve(file);
            return Files.exists(path) ? Files.readAllLines(path) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
