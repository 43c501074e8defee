package io.berth.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.shim.v2.Envelope;
import io.berth.shim.v2.ForwardRequest;
import io.berth.shim.v2.TaskOOM;
import io.berth.ttrpc.TtrpcServer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket where shims tell what happens. Ends are asked for by a call that waits; from here only a lack of memory is
 * taken, noted by a file {@code oom} in the container's bundle. Thread-safe; owns its threads until {@link #close}.
 */
public final class ShimEvents implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ShimEvents.class);
    private static final int CONNECTIONS = 4096;
    private static final int CALLS_AT_ONCE = 4;

    private final ShimPaths paths;
    private final ServerSocketChannel listener;
    private final Semaphore free = new Semaphore(CONNECTIONS);

    private ShimEvents(ShimPaths paths, ServerSocketChannel listener) {
        this.paths = paths;
        this.listener = listener;
    }

    /** Listens; the directory of the socket is this instance's alone. */
    public static ShimEvents listen(ShimPaths paths) {
        try {
            Files.deleteIfExists(paths.socket());
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.bind(UnixDomainSocketAddress.of(paths.socket()));
            Files.setPosixFilePermissions(paths.socket(), PosixFilePermissions.fromString("rw-------"));
            ShimEvents events = new ShimEvents(paths, channel);
            Thread.ofVirtual().name("shim events").start(events::accept);
            return events;
        } catch (IOException e) {
            throw RuntimeFault.internal("listen on " + paths.socket() + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel channel = listener.accept();
                if (free.tryAcquire()) {
                    serve(channel);
                } else {
                    channel.close();
                }
            }
        } catch (IOException closed) {
            LOG.atDebug().addKeyValue("reason", RuntimeFault.reason(closed)).log("no more events of shims");
        }
    }

    private void serve(SocketChannel channel) {
        Map<String, TtrpcServer.Method> methods = Map.of("containerd.services.events.ttrpc.v1.Events/Forward", this::forward);
        new TtrpcServer("shim", Channels.newInputStream(channel), Channels.newOutputStream(channel), methods, CALLS_AT_ONCE,
                reason -> {
                    free.release();
                    try {
                        channel.close();
                    } catch (IOException alreadyBroken) {
                        // Closing was all that was left to do.
                    }
                });
    }

    private ByteString forward(ByteString message) {
        try {
            Envelope envelope = ForwardRequest.parseFrom(message).getEnvelope();
            LOG.atDebug().addKeyValue("topic", envelope.getTopic()).log("event of a shim");
            if (envelope.getTopic().equals("/tasks/oom")) {
                ranOutOfMemory(TaskOOM.parseFrom(envelope.getEvent().getValue()).getContainerId());
            }
            return ByteString.EMPTY;
        } catch (InvalidProtocolBufferException e) {
            throw RuntimeFault.invalid("take event: it is no message");
        }
    }

    private void ranOutOfMemory(String id) {
        if (RandomId.isId(id)) {
            paths.markOutOfMemory(id);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            Files.deleteIfExists(paths.socket());
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + paths.socket() + ": " + RuntimeFault.reason(e), e);
        }
    }
}
