package io.berth.cli.bench;

import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.InfoRequest;
import io.berth.api.v1.TimelineRequest;
import io.berth.api.v1.TimelineStep;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.VersionRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A runtime that somebody else runs, behind a socket. It is left running. */
final class OtherSocket implements Contestant {

    private final Path socket;
    private final Connection connection;
    private final String runtime;

    OtherSocket(Path socket) {
        this.socket = socket.toAbsolutePath();
        this.connection = Connection.to(this.socket);
        try {
            this.runtime = connection.runtime().version(VersionRequest.getDefaultInstance()).getRuntimeName();
        } catch (RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return runtime + " at " + socket;
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    public Path socket() {
        return socket;
    }

    @Override
    public String mark() {
        return switch (runtime) {
            case "berth" -> connection.berth().info(InfoRequest.getDefaultInstance()).getState();
            case "containerd" -> socket.toString();
            default -> "";
        };
    }

    @Override
    public void importImage(Path layout) {
        switch (runtime) {
            case "berth" -> connection.berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build());
            case "containerd" -> OwnContainerd.importInto(socket, layout);
            default -> throw RuntimeFault.precondition("bring the bench's image into " + name()
                    + ": there is no way known: load it there yourself first, under the same name");
        }
    }

    @Override
    public Optional<Duration> restart() {
        return Optional.empty();
    }

    @Override
    public List<TimelineStep> timeline(String pod) {
        return runtime.equals("berth")
                ? connection.berth().timeline(TimelineRequest.newBuilder().setId(pod).build()).getStepsList() : List.of();
    }

    @Override
    public void close() {
        connection.close();
    }
}
