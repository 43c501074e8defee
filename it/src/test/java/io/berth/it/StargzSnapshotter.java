package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.linux.Command;
import io.berth.linux.Mounts;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real snapshotter for lazy pulls as a child process, in a directory of its own: the stargz snapshotter, where its program
 * is in PATH; Debian has no package of it. Closing it ends it and unmounts all that it has mounted; its files are in the
 * directory that it was given.
 */
final class StargzSnapshotter implements AutoCloseable {

    private static final String PROGRAM = "containerd-stargz-grpc";
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Path directory;
    private Process process;

    private StargzSnapshotter(Path directory) {
        this.directory = directory;
    }

    /** Why there can be none here; empty where there can. */
    static Optional<String> failure() throws IOException {
        if (Stream.of(Command.searchPath().split(":")).noneMatch(bin -> Files.isExecutable(Path.of(bin, PROGRAM)))) {
            return Optional.of("needs " + PROGRAM + " in PATH, which Debian does not have");
        }
        return Files.readString(Path.of("/proc/filesystems")).lines().anyMatch(line -> line.endsWith("\tfuse")) ? Optional.empty()
                : Optional.of("this kernel has no fuse");
    }

    /**
     * Starts it in {@code directory}, which is made. It fetches from {@code registry} without TLS, and nothing before it
     * is read.
     *
     * @param more TOML before all tables
     */
    static StargzSnapshotter start(Path directory, LocalRegistry registry, String... more)
            throws IOException, InterruptedException {
        if (Files.notExists(Path.of("/dev/fuse"))) {
            Command.of(List.of("mknod", "-m", "666", "/dev/fuse", "c", "10", "229"), LIMIT).run();
        }
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.toml"), """
                no_background_fetch = true
                no_prometheus = true
                %s
                [[resolver.host."%2$s".mirrors]]
                host = "%2$s"
                insecure = true
                """.formatted(String.join("\n", more), registry.host()));
        StargzSnapshotter snapshotter = new StargzSnapshotter(directory);
        snapshotter.startAgain();
        return snapshotter;
    }

    /** Where it serves containerd's snapshots API. */
    Path socket() {
        return directory.resolve("stargz.sock");
    }

    /** Its own directory, with all snapshots; they may be mounts. */
    Path root() {
        return directory.resolve("root");
    }

    /** Starts it where it was before, after {@link #kill9} or {@link #terminate}. */
    void startAgain() throws IOException, InterruptedException {
        process = new ProcessBuilder(PROGRAM, "--address", socket().toString(), "--root", root().toString(),
                "--config", directory.resolve("config.toml").toString(), "--log-level", "debug").redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile())).start();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!answers()) {
            assertTrue(process.isAlive() && System.nanoTime() < deadline, () -> "the snapshotter does not start: " + log());
            Thread.sleep(20);
        }
    }

    private boolean answers() {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket()));
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** What it has said so far. */
    String log() {
        try {
            return Files.readString(directory.resolve("log"));
        } catch (IOException e) {
            return "(" + e + ")";
        }
    }

    /** Where it has layers mounted from the registry. */
    List<Path> lazyMounts() {
        return Mounts.table().stream().filter(mount -> mount.type().startsWith("fuse") && mount.target().startsWith(root()))
                .map(Mounts.MountPoint::target).toList();
    }

    /** Ends it as a crash would: its mounts stay, and reading below them fails. */
    void kill9() throws InterruptedException {
        end(Signals.KILL);
    }

    /** Ends it as a service is stopped: its mounts stay, and reading below them fails. */
    void terminate() throws InterruptedException {
        end(Signals.TERM);
    }

    private void end(int signal) throws InterruptedException {
        int pid = (int) process.pid();
        Processes.startTicks(pid).ifPresent(ticks -> Processes.signal(pid, ticks, signal));
        assertTrue(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS), () -> "the snapshotter does not end: " + log());
    }

    @Override
    public void close() throws InterruptedException {
        try {
            end(Signals.KILL);
        } finally {
            Mounts.at(directory).forEach(Mounts::unmount);
        }
    }
}
