package io.berth.cli.scratch;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** {@code berth serve} as a child process. Closing stops it; its containers live on. Used by one thread. */
public final class DaemonProcess implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    // A run that records the ahead-of-time cache writes it at its end.
    private static final Duration STOP_LIMIT = Duration.ofSeconds(120);
    private static final int LOG_LINES_TOLD = 20;

    private final Process process;
    private final Path log;

    private DaemonProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** As the longer form, without options of the Java machine. */
    public static DaemonProcess start(List<String> arguments, Path socket, Path log) {
        return start(arguments, socket, log, List.of(), Map.of());
    }

    /**
     * Starts a daemon and waits until its socket answers.
     *
     * @param arguments what follows {@code berth serve}
     * @param log gets the daemon's output, appended
     * @param javaOptions further options of its Java machine
     * @param environment variables beside those of this process
     * @throws RuntimeFault UNAVAILABLE with the end of the log when it ends or does not answer in time
     */
    public static DaemonProcess start(List<String> arguments, Path socket, Path log, List<String> javaOptions,
            Map<String, String> environment) {
        return start(program(javaOptions), arguments, socket, log, javaOptions, environment);
    }

    /** As {@link #start(List, Path, Path)}, by the launcher of another build. */
    public static DaemonProcess startBy(Path launcher, List<String> arguments, Path socket, Path log) {
        return start(List.of(launcher.toString()), arguments, socket, log, List.of(), Map.of());
    }

    private static DaemonProcess start(List<String> program, List<String> arguments, Path socket, Path log,
            List<String> javaOptions, Map<String, String> environment) {
        List<String> command = new ArrayList<>(program);
        command.add("serve");
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        builder.environment().put("BERTH_BUILD", "no");
        if (!javaOptions.isEmpty()) {
            builder.environment().merge("BERTH_SERVE_OPTIONS", String.join(" ", javaOptions), (a, b) -> a + " " + b);
        }
        try {
            DaemonProcess daemon = new DaemonProcess(builder.start(), log);
            daemon.awaitAnswer(socket);
            return daemon;
        } catch (IOException e) {
            throw RuntimeFault.internal("start " + command.getFirst() + ": " + RuntimeFault.reason(e), e);
        }
    }

    // The launcher tells where it is; a test runs without it and starts the daemon from its own class path.
    private static List<String> program(List<String> javaOptions) {
        Optional<String> launcher = Optional.ofNullable(System.getProperty("berth.launcher"));
        if (launcher.isPresent()) {
            return List.of(launcher.get());
        }
        List<String> program = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
        program.addAll(JvmOptions.read("any"));
        program.addAll(JvmOptions.read("serve"));
        program.addAll(javaOptions);
        program.addAll(List.of("-cp", System.getProperty("java.class.path"), "io.berth.cli.Main"));
        return program;
    }

    private void awaitAnswer(Path socket) {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!answers(socket)) {
            if (!process.isAlive()) {
                throw new RuntimeFault(Kind.UNAVAILABLE, "start daemon: it ended with exit code " + process.exitValue()
                        + "; its log ends with:\n" + logTail());
            }
            if (System.nanoTime() > deadline) {
                process.destroyForcibly();
                throw new RuntimeFault(Kind.UNAVAILABLE, "start daemon: no answer at " + socket + " within "
                        + START_LIMIT.toSeconds() + " s; its log ends with:\n" + logTail());
            }
            pause();
        }
    }

    private static boolean answers(Path socket) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "start daemon: interrupted", e);
        }
    }

    public int pid() {
        return (int) process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** The last lines of its output. */
    public String logTail() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES_TOLD), lines.size()));
        } catch (IOException e) {
            return "(" + log + " cannot be read: " + RuntimeFault.reason(e) + ")";
        }
    }

    /** Ends it as an operator would; idempotent. */
    public void stop() {
        process.destroy();
        if (!waited(STOP_LIMIT)) {
            process.destroyForcibly();
            throw new RuntimeFault(Kind.DEADLINE_EXCEEDED, "stop daemon: it has not ended " + STOP_LIMIT.toSeconds()
                    + " s after SIGTERM and was killed; its log ends with:\n" + logTail());
        }
    }

    /** Ends it as a crash would; idempotent. */
    public void kill() {
        process.destroyForcibly();
        waited(STOP_LIMIT);
    }

    private boolean waited(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        stop();
    }
}
