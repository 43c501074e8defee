package io.berth.nri;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.ChildProcess;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Spawn;
import io.berth.linux.UnixSocket;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process of a plugin that Berth started, connected by a socket that it inherits as descriptor 3.
 *
 * @param channel this side of the socket; whoever uses it closes it
 */
record PluginProcess(PluginName name, ChildProcess child, SocketChannel channel) {

    private static final Logger LOG = LoggerFactory.getLogger(PluginProcess.class);
    private static final int SOCKET = 3;
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** Starts a program. */
    static PluginProcess start(Path program, PluginName name, Path runDirectory) {
        // Connected over a path that nobody else can reach: both ends are a pair from then on, and this one is a channel.
        Path path = runDirectory.resolve("plugin-" + RandomId.hex(4) + ".sock");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            try (Fd childs = UnixSocket.connectStream(path)) {
                SocketChannel channel = listener.accept();
                try {
                    ChildProcess child = Spawn.of(List.of(program.toString()), Map.of("NRI_PLUGIN_NAME", name.base(),
                            "NRI_PLUGIN_IDX", name.index(), "NRI_PLUGIN_SOCKET", Integer.toString(SOCKET)))
                            .descriptor(SOCKET, childs).start();
                    return new PluginProcess(name, child, channel);
                } catch (RuntimeException failure) {
                    channel.close();
                    throw failure;
                }
            } finally {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("start NRI plugin " + program + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Waits a moment for the process, which has lost its connection, then kills it. Returns at once; done when it is gone. */
    Future<?> endSoon() {
        return PlatformThreads.executor().submit(this::end);
    }

    private void end() {
        try (child) {
            if (child.await(GRACE).isEmpty()) {
                LOG.atInfo().addKeyValue("plugin", name).addKeyValue("pid", child.pid()).log("NRI plugin is killed");
            }
        } catch (RuntimeFault fault) {
            LOG.atError().addKeyValue("plugin", name).setCause(fault).log("NRI plugin does not end");
        }
    }
}
