package io.berth.it;

import io.berth.cli.scratch.JvmOptions;
import io.berth.linux.ChildProcess;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Pty;
import io.berth.linux.Spawn;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The berth command as a child process, as a person or a script starts it, for one daemon.
 *
 * @param socket where the daemon is, asked for each command
 */
record BerthCommand(Supplier<Path> socket) {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    BerthCommand(TestDaemon daemon) {
        this(() -> daemon.node().socket());
    }

    /** What it ended with. */
    record Result(int code, String out, String err) {}

    private static List<String> program() {
        List<String> program = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
        program.addAll(JvmOptions.read("any"));
        program.addAll(JvmOptions.read("command"));
        program.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.berth.cli.Main"));
        return program;
    }

    /** The whole command line. */
    static List<String> line(String... arguments) {
        List<String> line = new ArrayList<>(program());
        line.addAll(List.of(arguments));
        return line;
    }

    /** A process that runs; its output goes where the caller reads it. */
    Process start(String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(line(arguments));
        builder.environment().put("BERTH_SOCKET", socket.get().toString());
        return builder.start();
    }

    /** Runs it to its end. */
    Result run(String... arguments) throws Exception {
        return runWith("", arguments);
    }

    /** Runs it to its end with {@code input}. */
    Result runWith(String input, String... arguments) throws Exception {
        Process process = start(arguments);
        CompletableFuture<String> out = read(process.getInputStream());
        CompletableFuture<String> err = read(process.getErrorStream());
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("berth " + String.join(" ", arguments) + " does not end; so far: " + out.join() + err.join());
        }
        return new Result(process.exitValue(), out.join(), err.join());
    }

    private static CompletableFuture<String> read(java.io.InputStream stream) {
        return CompletableFuture.supplyAsync(() -> {
            try (stream) {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                return "(" + e + ")";
            }
        }, Thread::startVirtualThread);
    }

    /** At a terminal. Closing it ends what still runs there. */
    Session atTerminal(int rows, int columns, String... arguments) {
        return PlatformThreads.call(() -> {
            Pty pty = Pty.open();
            pty.resize(rows, columns);
            Map<String, String> environment = new HashMap<>(System.getenv());
            environment.put("BERTH_SOCKET", socket.get().toString());
            environment.put("TERM", "xterm");
            environment.remove("NO_COLOR");
            ChildProcess child = Spawn.of(line(arguments), environment).newSession().descriptor(0, pty.terminal())
                    .descriptor(1, pty.terminal()).descriptor(2, pty.terminal()).start();
            return new Session(pty, child, new StringBuilder());
        });
    }

    /**
     * A berth at a terminal.
     *
     * @param seen all that was on the screen so far
     */
    record Session(Pty pty, ChildProcess child, StringBuilder seen) implements AutoCloseable {

        void type(String keys) {
            byte[] bytes = keys.getBytes(StandardCharsets.UTF_8);
            PlatformThreads.call(() -> {
                pty.master().write(bytes, 0, bytes.length);
                return null;
            });
        }

        /** Reads until {@code words} have been on the screen. */
        void await(String words) {
            PlatformThreads.call(() -> {
                long deadline = System.nanoTime() + LIMIT.toNanos();
                byte[] chunk = new byte[4096];
                while (seen.indexOf(words) < 0) {
                    if (System.nanoTime() > deadline || !pty.master().awaitReadable(LIMIT.toMillis())) {
                        throw new AssertionError("\"" + words + "\" does not come; so far: " + seen);
                    }
                    int count = pty.master().read(chunk, 0, chunk.length);
                    seen.append(new String(chunk, 0, Math.max(0, count), StandardCharsets.UTF_8));
                }
                return null;
            });
        }

        int exitCode() {
            OptionalInt code = PlatformThreads.call(() -> child.await(LIMIT));
            return code.orElseThrow(() -> new AssertionError("berth does not end; so far: " + seen));
        }

        @Override
        public void close() {
            child.close();
            pty.close();
        }
    }
}
