package io.berth.cli.bench;

import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.TimelineRequest;
import io.berth.api.v1.TimelineStep;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.scratch.DaemonProcess;
import io.berth.cli.scratch.ScratchNode;
import io.berth.cri.v1.VersionRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A Berth of the bench's own, on a {@link ScratchNode}. */
final class OwnBerth implements Contestant {

    private final ScratchNode node;
    private DaemonProcess process;
    private Connection connection;
    private boolean closed;

    OwnBerth(BenchSettings settings, BenchNetwork network) {
        node = ScratchNode.create();
        try {
            Files.createDirectory(node.directory().resolve("config.d"));
            BenchFiles.tmpfs(node.state());
            String runtime = Path.of(settings.runtime()).getFileName().toString();
            Files.writeString(node.directory().resolve("config.d/bench.toml"), """
                    [runtime]
                    network = "%s"
                    default_runtime_name = "%s"
                    [runtime.runtimes.%s]
                    runtime_path = "%s"
                    [runtime.cni]
                    conf_dir = "%s"
                    """.formatted(settings.builtinNetwork() ? "builtin" : "cni", runtime, runtime, settings.runtime(),
                    network.configuration()));
            start();
        } catch (IOException | RuntimeFault e) {
            node.destroy();
            throw RuntimeFault.during("start a Berth to measure", e);
        }
    }

    private Duration start() {
        long from = System.nanoTime();
        process = node.start();
        connection = Connection.to(node.socket());
        connection.runtime().version(VersionRequest.getDefaultInstance());
        return Duration.ofNanos(System.nanoTime() - from);
    }

    ScratchNode node() {
        return node;
    }

    @Override
    public String name() {
        return "berth";
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    public Path socket() {
        return node.socket();
    }

    @Override
    public String mark() {
        return node.directory() + "/";
    }

    @Override
    public void importImage(Path layout) {
        connection.berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build());
    }

    @Override
    public Optional<Duration> restart() {
        connection.close();
        process.stop();
        return Optional.of(start());
    }

    @Override
    public List<TimelineStep> timeline(String pod) {
        return connection.berth().timeline(TimelineRequest.newBuilder().setId(pod).build()).getStepsList();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        connection.close();
        try {
            process.stop();
        } finally {
            node.destroy();
        }
        List<String> left = node.leftovers();
        if (!left.isEmpty()) {
            throw RuntimeFault.internal("end the bench's Berth: still there: " + left, null);
        }
    }
}
