package io.berth.server;

import io.berth.base.RuntimeFault;
import io.berth.server.config.Config;
import io.berth.server.rpc.RequestCheck;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.netty.NettyServerBuilder;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The gRPC server on the unix socket: one event loop, one virtual thread a call. Owned by the daemon. */
final class SocketServer implements AutoCloseable {

    private final Path path;
    private final EventLoopGroup loop;
    private final Server server;

    private SocketServer(Path path, EventLoopGroup loop, Server server) {
        this.path = path;
        this.loop = loop;
        this.server = server;
    }

    /** @throws RuntimeFault FAILED_PRECONDITION when another process answers on the socket */
    static SocketServer start(Config.Grpc settings, List<BindableService> services, Optional<ServerInterceptor> tracing) {
        Path path = settings.address();
        prepare(path);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(path.toFile()))
                .channelType(EpollServerDomainSocketChannel.class).bossEventLoopGroup(loop).workerEventLoopGroup(loop)
                .withChildOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                .executor(Executors.newVirtualThreadPerTaskExecutor())
                .maxInboundMessageSize(settings.maxReceiveBytes());
        builder.intercept(new RequestCheck());
        // The last one is the first that a call meets.
        tracing.ifPresent(builder::intercept);
        services.forEach(builder::addService);
        try {
            Server server = builder.build().start();
            Files.setPosixFilePermissions(path, permissions(settings.mode()));
            Files.setAttribute(path, "unix:uid", settings.uid());
            Files.setAttribute(path, "unix:gid", settings.gid());
            return new SocketServer(path, loop, server);
        } catch (IOException e) {
            loop.shutdownGracefully();
            throw RuntimeFault.internal("listen on " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static void prepare(Path path) {
        try {
            Files.createDirectories(path.getParent());
            if (!Files.exists(path)) {
                return;
            }
            try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                probe.connect(UnixDomainSocketAddress.of(path));
                throw RuntimeFault.precondition("listen on " + path
                        + ": another process answers there: stop it, or give this one its own --socket");
            } catch (IOException nobodyAnswers) {
                // Left by a daemon that was killed.
                Files.delete(path);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("prepare " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values();
        for (int bit = 0; bit < all.length; bit++) {
            if ((mode & 0400 >> bit) != 0) {
                permissions.add(all[bit]);
            }
        }
        return permissions;
    }

    /** Lets calls in progress end for a moment, then closes and removes the socket. */
    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(2, TimeUnit.SECONDS)) {
                server.shutdownNow().awaitTermination(2, TimeUnit.SECONDS);
            }
            Files.deleteIfExists(path);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + path + ": " + RuntimeFault.reason(e), e);
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }
}
