package io.berth.embedded;

import io.berth.api.v1.ImportImageRequest;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.client.EndPod;
import io.berth.cli.scratch.ScratchNode;
import io.berth.cri.v1.ImageServiceGrpc.ImageServiceBlockingStub;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PullImageRequest;
import io.berth.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.berth.server.Daemon;
import io.berth.server.config.ConfigFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The runtime, inside this process. It answers the Container Runtime Interface on a socket as {@code berth serve} does, so
 * that crictl and {@code berth} can look at it too. Needs root, conmon and an OCI runtime. Thread-safe.
 *
 * <p>The Java machine has to be started with {@code --enable-native-access=ALL-UNNAMED}.
 */
public final class Berth implements AutoCloseable {

    private final Optional<ScratchNode> temporary;
    private final Daemon daemon;
    private final Connection connection;

    private Berth(Optional<ScratchNode> temporary, Daemon daemon, Connection connection) {
        this.temporary = temporary;
        this.daemon = daemon;
        this.connection = connection;
    }

    /**
     * Starts it and waits until it answers; whoever starts it closes it.
     *
     * @throws RuntimeFault FAILED_PRECONDITION without root or without a program that it needs, INVALID_ARGUMENT for options
     *     that cannot be
     */
    public static Berth start(BerthOptions options) {
        if (!"root".equals(System.getProperty("user.name"))) {
            throw RuntimeFault.precondition("start an embedded runtime: it mounts and makes namespaces: run this process as root");
        }
        Optional<ScratchNode> temporary = options.configuration().isPresent() ? Optional.empty() : Optional.of(ScratchNode.create());
        try {
            Berth berth = start(options, temporary);
            try {
                options.archives().forEach(berth::importImage);
                return berth;
            } catch (RuntimeException failure) {
                berth.daemon.close();
                throw failure;
            }
        } catch (RuntimeException failure) {
            temporary.ifPresent(ScratchNode::destroy);
            throw failure;
        }
    }

    private static Berth start(BerthOptions options, Optional<ScratchNode> temporary) {
        Map<String, Object> keys = new LinkedHashMap<>(options.keys());
        temporary.ifPresent(node -> {
            keys.put("root", node.root().toString());
            keys.put("state", node.state().toString());
            keys.put("grpc.address", node.socket().toString());
        });
        ConfigFile.Loaded loaded = ConfigFile.load(options.configuration().or(() -> temporary.map(ScratchNode::config)), keys);
        Daemon daemon = Daemon.start(loaded);
        try {
            return new Berth(temporary, daemon, Connection.to(loaded.config().grpc().address()));
        } catch (RuntimeException failure) {
            daemon.close();
            throw failure;
        }
    }

    /** Where it listens. */
    public Path socket() {
        return connection.socket();
    }

    /** All calls about pods and containers. */
    public RuntimeServiceBlockingStub runtime() {
        return connection.runtime();
    }

    /** All calls about images. */
    public ImageServiceBlockingStub images() {
        return connection.images();
    }

    /**
     * Brings images in without a registry.
     *
     * @param archive an OCI archive or layout, or what {@code docker save} writes
     */
    public void importImage(Path archive) {
        connection.berth().importImage(ImportImageRequest.newBuilder().setPath(archive.toAbsolutePath().toString()).build());
    }

    /**
     * Runs a pod of one container; the image is pulled where it is not here yet.
     *
     * @param command empty for the image's own
     */
    public EmbeddedPod run(String image, String... command) {
        ImageSpec wanted = ImageSpec.newBuilder().setImage(image).build();
        if (!images().imageStatus(ImageStatusRequest.newBuilder().setImage(wanted).build()).hasImage()) {
            images().pullImage(PullImageRequest.newBuilder().setImage(wanted).build());
        }
        return EmbeddedPod.run(connection, logs(), image, command);
    }

    private Path logs() {
        return temporary.map(ScratchNode::logs).orElse(Path.of("/var/log/pods"));
    }

    /** Stops and removes all pods, whoever has made them. */
    public void removePods() {
        for (PodSandbox pod : runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList()) {
            EndPod.stop(connection, pod.getId(), 0);
            EndPod.remove(connection, pod.getId());
        }
    }

    /** Ends it. A temporary one goes with all its pods and files; the containers of another run on. */
    @Override
    public void close() {
        try {
            if (temporary.isPresent()) {
                removePods();
            }
        } finally {
            connection.close();
            daemon.close();
            temporary.ifPresent(ScratchNode::destroy);
        }
    }
}
