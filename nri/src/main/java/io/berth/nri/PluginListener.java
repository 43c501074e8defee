package io.berth.nri;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The socket that plugins connect to. Only root may: a plugin can change any container. Owned by the adaptation. */
final class PluginListener implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PluginListener.class);

    private final Path path;
    private final ServerSocketChannel channel;

    private PluginListener(Path path, ServerSocketChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Listens, and hands each connection on.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when another runtime answers on the socket
     */
    static PluginListener start(Path path, Consumer<SocketChannel> connected) {
        prepare(path);
        try {
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            channel.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            PluginListener listener = new PluginListener(path, channel);
            Thread.ofVirtual().name("nri listener").start(() -> listener.accept(connected));
            return listener;
        } catch (IOException e) {
            throw RuntimeFault.internal("listen on " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static void prepare(Path path) {
        try {
            if (!Files.isDirectory(path.getParent())) {
                Files.createDirectories(path.getParent().getParent());
                Files.createDirectory(path.getParent(),
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            if (!Files.exists(path)) {
                return;
            }
            try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                probe.connect(UnixDomainSocketAddress.of(path));
                throw RuntimeFault.precondition("listen on " + path + ": another runtime answers there: give this one"
                        + " its own nri.socket_path");
            } catch (IOException nobodyAnswers) {
                // Left by a daemon that was killed.
                Files.delete(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("prepare " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void accept(Consumer<SocketChannel> connected) {
        try {
            while (true) {
                connected.accept(channel.accept());
            }
        } catch (IOException closed) {
            LOG.atDebug().addKeyValue("reason", RuntimeFault.reason(closed)).log("no more connections of NRI plugins");
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + path + ": " + RuntimeFault.reason(e), e);
        }
    }
}
