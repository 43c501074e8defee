package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Runs a program to its end and keeps what it printed. Bounded in time and in output: beyond the output limit bytes are
 * read and dropped, so that the program never blocks on a full pipe; beyond the time limit it is killed.
 *
 * @param program an absolute path or a name in PATH, then the arguments
 * @param environment all variables of the program
 * @param directory its working directory
 * @param limit the time it may take
 * @param outputBytes how much of each of stdout and stderr is kept
 */
public record Command(List<String> program, Map<String, String> environment, Path directory, Duration limit,
        int outputBytes) {

    private static final Duration LAST_MOMENT = Duration.ofMillis(500);
    private static final long GLANCE_MILLIS = 250;
    private static final int INPUT_BYTES = 32 * 1024;
    private static final Runnable NOTHING = () -> { };

    /**
     * What a program left behind.
     *
     * @param exitCode its exit code, 128 plus the signal where a signal ended it
     * @param truncated whether some output was dropped
     */
    public record Output(int exitCode, byte[] stdout, byte[] stderr, boolean truncated) {

        public String stdoutText() {
            return new String(stdout, StandardCharsets.UTF_8);
        }

        public String stderrText() {
            return new String(stderr, StandardCharsets.UTF_8);
        }
    }

    /** A command with no output to speak of, in the root directory, with this process's PATH. */
    public static Command of(List<String> program, Duration limit) {
        return new Command(program, Map.of("PATH", searchPath()), Path.of("/"), limit, 64 * 1024);
    }

    /** This process's PATH, or the usual one where there is none. */
    public static String searchPath() {
        String path = System.getenv("PATH");
        return path == null || path.isBlank() ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path;
    }

    /**
     * Runs it.
     *
     * @throws RuntimeFault DEADLINE_EXCEEDED when it took longer than its limit (it is dead then), CANCELLED when the
     *     calling thread is interrupted (it is dead within {@value #GLANCE_MILLIS} ms)
     */
    public Output run() {
        return run(NOTHING);
    }

    /**
     * Runs it.
     *
     * @param onTimeout what to do when the limit has passed, before the program is killed: it may make it end by itself,
     *     for which it then has a moment
     */
    public Output run(Runnable onTimeout) {
        return PlatformThreads.await(() -> runBlocking(Spawn.of(program, environment), onTimeout));
    }

    /**
     * Runs it.
     *
     * @param input what it reads; at most {@value #INPUT_BYTES} bytes, which a pipe holds even when it reads nothing
     */
    public Output run(byte[] input) {
        if (input.length > INPUT_BYTES) {
            throw RuntimeFault.invalid("run " + program.getFirst() + ": its input has " + input.length + " bytes");
        }
        return PlatformThreads.await(() -> {
            try (Fd.Pipe in = Fd.pipe()) {
                in.write().write(input, 0, input.length);
                in.write().close();
                return runBlocking(Spawn.of(program, environment).descriptor(0, in.read()), NOTHING);
            }
        });
    }

    private Output runBlocking(Spawn spawn, Runnable onTimeout) {
        try (Fd.Pipe out = Fd.pipe(); Fd.Pipe err = Fd.pipe();
                ChildProcess child = spawn.directory(directory)
                        .descriptor(1, out.write()).descriptor(2, err.write()).start()) {
            out.write().close();
            err.write().close();
            return collect(child, new Collector(out.read()), new Collector(err.read()), onTimeout);
        }
    }

    private Output collect(ChildProcess child, Collector out, Collector err, Runnable onTimeout) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (out.open || err.open) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            boolean ended = child.awaitOutput(out.open ? out.source : null, err.open ? err.source : null,
                    Math.min(left, GLANCE_MILLIS));
            refuseInterrupted();
            boolean got = out.take() | err.take();
            if (ended && !got) {
                // What a grandchild may still print belongs to nobody, and it would hold the pipes open for its lifetime.
                break;
            }
        }
        var exit = child.await(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        if (exit.isEmpty()) {
            onTimeout.run();
            if (onTimeout != NOTHING) {
                child.await(LAST_MOMENT);
            }
            throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "run " + program.getFirst() + ": it took longer than "
                    + limit.toMillis() + " ms and was killed; it had printed: " + err.text());
        }
        return new Output(exit.getAsInt(), out.bytes(), err.bytes(), out.dropped || err.dropped);
    }

    // The kernel does not wake a thread for Java's interrupt. Closing the child kills it.
    private void refuseInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "run " + program.getFirst()
                    + ": nobody waits for it any more: it was killed");
        }
    }

    private final class Collector {
        private final Fd source;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream(256);
        private final byte[] buffer = new byte[8192];
        private boolean open = true;
        private boolean dropped;

        Collector(Fd source) {
            this.source = source;
        }

        /** Whether something was there, be it the end. */
        boolean take() {
            if (!open || !source.awaitReadable(0)) {
                return false;
            }
            int count = source.read(buffer, 0, buffer.length);
            if (count < 0) {
                open = false;
                return true;
            }
            int fits = Math.min(count, outputBytes - kept.size());
            kept.write(buffer, 0, fits);
            dropped |= fits < count;
            return true;
        }

        byte[] bytes() {
            return kept.toByteArray();
        }

        String text() {
            return kept.toString(StandardCharsets.UTF_8).strip();
        }
    }
}
