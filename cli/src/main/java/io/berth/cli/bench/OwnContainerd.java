package io.berth.cli.bench;

import io.berth.api.v1.TimelineStep;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cri.v1.VersionRequest;
import io.berth.linux.Command;
import io.berth.linux.Mounts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The node's containerd as a peer, with directories and a socket of its own: the CRI plugin with its defaults, the overlay
 * snapshotter, the runtime and the CNI files of the bench. Written for the configuration of version 2 (containerd 1.6, which
 * later ones read too). Closing it ends all that it runs. Used by one thread.
 */
public final class OwnContainerd implements Contestant {

    private static final String PAUSE = "berth.local/pause:bench";
    // "server is not initialized yet" comes as UNKNOWN.
    private static final Set<Status.Code> NOT_YET =
            Set.of(Status.Code.UNAVAILABLE, Status.Code.UNIMPLEMENTED, Status.Code.UNKNOWN);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    // The shim has this one place for its sockets, whatever the configuration says; libcni that one for its cache.
    private static final List<Path> FIXED_PLACES = List.of(Path.of("/run/containerd"), Path.of("/var/lib/cni"));

    private final Path directory;
    private final List<Path> newPlaces = FIXED_PLACES.stream().filter(path -> !Files.exists(path)).toList();
    private Process process;
    private Connection connection;
    private boolean closed;

    /**
     * Starts it.
     *
     * @param runtime name or path of runc or crun
     * @throws RuntimeFault when there is no containerd in PATH or it does not answer
     */
    public OwnContainerd(BenchNetwork network, String runtime) {
        directory = Path.of(System.getProperty("java.io.tmpdir"), "berth-ctd-" + RandomId.hex(3));
        try {
            Files.createDirectory(directory);
            BenchFiles.tmpfs(directory.resolve("state"));
            Files.writeString(directory.resolve("config.toml"), configuration(network, runtime));
            start();
            Path pause = directory.resolve("pause");
            BusyboxImage.write(pause, PAUSE, "", List.of("sleep", Integer.toString(Integer.MAX_VALUE)));
            importImage(pause);
        } catch (IOException | RuntimeException e) {
            close();
            throw RuntimeFault.during("start containerd to measure against", e);
        }
    }

    private String configuration(BenchNetwork network, String runtime) {
        return """
                version = 2
                root = "%1$s/root"
                state = "%1$s/state"
                disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
                  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
                [grpc]
                address = "%1$s/c.sock"
                [ttrpc]
                address = "%1$s/c.sock.ttrpc"
                [plugins."io.containerd.internal.v1.opt"]
                path = "%1$s/opt"
                [plugins."io.containerd.grpc.v1.cri"]
                sandbox_image = "%2$s"
                restrict_oom_score_adj = true
                netns_mounts_under_state_dir = true
                [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "%3$s"
                conf_dir = "%4$s"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                runtime_type = "io.containerd.runc.v2"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                BinaryName = "%5$s"
                Root = "%1$s/state/runc"
                """.formatted(directory, PAUSE, network.plugins(), network.configuration(), runtime);
    }

    private Duration start() {
        try {
            long from = System.nanoTime();
            process = new ProcessBuilder("containerd", "--config", directory.resolve("config.toml").toString(), "--log-level",
                    "warn").redirectErrorStream(true).redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile())).start();
            awaitAnswer(from + PATIENCE.toNanos());
            return Duration.ofNanos(System.nanoTime() - from);
        } catch (IOException e) {
            throw RuntimeFault.precondition("start containerd: " + RuntimeFault.reason(e) + ": install the package containerd");
        }
    }

    private void awaitAnswer(long deadline) {
        while (true) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new RuntimeFault(Kind.UNAVAILABLE, "start containerd: no answer; its log: " + log());
            }
            if (Files.exists(socket()) && answers()) {
                return;
            }
            pause(2);
        }
    }

    // The socket is there before the CRI plugin is, and the file outlives a daemon.
    private boolean answers() {
        try {
            connection = Connection.to(socket());
        } catch (DaemonFault nobodyListens) {
            return false;
        }
        try {
            connection.runtime().withDeadlineAfter(5, TimeUnit.SECONDS).version(VersionRequest.getDefaultInstance());
            return true;
        } catch (StatusRuntimeException e) {
            connection.close();
            if (NOT_YET.contains(e.getStatus().getCode())) {
                return false;
            }
            throw e;
        }
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(Kind.CANCELLED, "bench: interrupted", e);
        }
    }

    private String log() {
        try {
            return Files.readString(directory.resolve("log"));
        } catch (IOException none) {
            return "(none)";
        }
    }

    @Override
    public String name() {
        return "containerd";
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    public Path socket() {
        return directory.resolve("c.sock");
    }

    @Override
    public String mark() {
        return directory + "/";
    }

    @Override
    public void importImage(Path layout) {
        importInto(socket(), layout);
    }

    /** Imports an OCI layout by containerd's own client. */
    static void importInto(Path socket, Path layout) {
        Path archive = layout.resolveSibling(layout.getFileName() + ".tar");
        run(List.of("tar", "-C", layout.toString(), "-cf", archive.toString(), "."));
        run(List.of("ctr", "--address", socket.toString(), "--namespace", "k8s.io", "images", "import", archive.toString()));
    }

    private static void run(List<String> command) {
        Command.Output output = Command.of(command, Duration.ofMinutes(2)).run();
        if (output.exitCode() != 0) {
            throw RuntimeFault.internal(String.join(" ", command) + ": " + output.stderrText().strip(), null);
        }
    }

    @Override
    public Optional<Duration> restart() {
        connection.close();
        end();
        return Optional.of(start());
    }

    @Override
    public List<TimelineStep> timeline(String pod) {
        return List.of();
    }

    private void end() {
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // A shim that is just ending makes the fixed places anew: they are removed only after the last one.
    private void killRest() {
        for (int patience = 0; patience < 250; patience++) {
            List<Integer> rest = BenchProcesses.withText(directory.toString());
            if (rest.isEmpty()) {
                return;
            }
            rest.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            pause(20);
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (connection != null) {
            connection.close();
        }
        if (process != null) {
            end();
        }
        killRest();
        Mounts.at(directory).forEach(Mounts::unmount);
        BenchFiles.remove(directory);
        newPlaces.forEach(BenchFiles::removeEmpty);
    }
}
