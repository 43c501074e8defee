package io.berth.shim;

import io.berth.linux.Fd;
import io.berth.linux.Fifo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * The writing side of a process's input. It stays open without a client, or the process would read an end. Thread-safe,
 * but for writes, which one client makes at a time; a write waits until the process reads or ends.
 */
final class ShimInput {

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Path path;
    private final Fd writer;
    /** Keeps what is written until the shim has opened its side; afterwards it would keep a write waiting for ever. */
    private final Optional<Fd> both;

    private ShimInput(Path path, Fd writer, Optional<Fd> both) {
        this.path = path;
        this.writer = writer;
        this.both = both;
    }

    static ShimInput make(Path path) {
        Fifo.make(path);
        Fd both = Fifo.openBoth(path);
        return new ShimInput(path, Fifo.openWriter(path).orElseThrow(), Optional.of(both));
    }

    /**
     * For a process that runs already.
     *
     * @param started whether the shim has opened its side
     * @return empty when the input has ended
     */
    static Optional<ShimInput> adopt(Path path, boolean started) {
        if (!java.nio.file.Files.exists(path)) {
            return Optional.empty();
        }
        return started ? Fifo.openWriter(path).map(writer -> new ShimInput(path, writer, Optional.empty()))
                : Optional.of(make(path));
    }

    /** The shim has the process started. It may open its side a moment later: a write or an end before would be lost. */
    void started() {
        both.ifPresent(Fd::close);
        awaitReader();
    }

    private void awaitReader() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        // The writing side of a pipe is ready for reading only in one case: that nobody reads the other.
        while (writer.awaitReadable(0) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(2_000_000);
        }
    }

    void write(byte[] bytes, int offset, int length) {
        writer.write(bytes, offset, length);
    }

    /** Ends the input, for good: the pipe is removed. */
    void close() {
        both.ifPresent(Fd::close);
        writer.close();
        try {
            java.nio.file.Files.deleteIfExists(path);
        } catch (java.io.IOException left) {
            // It goes with the bundle.
        }
    }
}
