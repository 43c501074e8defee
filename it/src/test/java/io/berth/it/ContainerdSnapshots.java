package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.linux.Mounts;
import io.berth.server.snapshotter.GrpcSnapshots;
import io.berth.snapshot.SnapshotCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The snapshotter "native" of a real containerd, as a program that Berth calls: each snapshot is a directory with a copy of
 * all files below it. A containerd of its own, in a directory that is given.
 */
final class ContainerdSnapshots implements AutoCloseable {

    static final String NAME = "native";

    private final Path directory;
    private Process process;

    private ContainerdSnapshots(Path directory) {
        this.directory = directory;
    }

    static ContainerdSnapshots start(Path directory) throws IOException, InterruptedException {
        ContainerdSnapshots snapshots = new ContainerdSnapshots(directory);
        Files.writeString(directory.resolve("config.toml"), """
                version = 2
                root = "%1$s/root"
                state = "%1$s/state"
                disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs",
                  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
                [grpc]
                address = "%1$s/c.sock"
                [ttrpc]
                address = "%1$s/c.sock.ttrpc"
                [plugins."io.containerd.internal.v1.opt"]
                path = "%1$s/opt"
                """.formatted(directory));
        snapshots.start();
        return snapshots;
    }

    Path socket() {
        return directory.resolve("c.sock");
    }

    /** What Berth is to have in its configuration. */
    String configuration() {
        return """
                [proxy_plugins.native]
                address = "%s"
                """.formatted(socket());
    }

    void start() throws IOException, InterruptedException {
        process = new ProcessBuilder("containerd", "--config", directory.resolve("config.toml").toString())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile())).start();
        HandlerPods.await("an answer of containerd", () -> {
            assertTrue(process.isAlive(), () -> "containerd has ended: " + directory.resolve("log"));
            try {
                names();
                return true;
            } catch (RuntimeException notYet) {
                return false;
            }
        });
    }

    /** As a crash would. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    }

    /** The names of all snapshots that it has, committed or not. */
    List<String> names() {
        try (GrpcSnapshots calls = new GrpcSnapshots(NAME, socket())) {
            return calls.list().stream().map(SnapshotCalls.Known::name).sorted().toList();
        }
    }

    /** Those that are being written or looked at. */
    List<String> active() {
        try (GrpcSnapshots calls = new GrpcSnapshots(NAME, socket())) {
            return calls.list().stream().filter(known -> !known.committed()).map(SnapshotCalls.Known::name).sorted().toList();
        }
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            kill();
        }
        Mounts.at(directory).forEach(Mounts::unmount);
    }
}
