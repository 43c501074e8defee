package io.berth.cli.client;

import io.berth.api.v1.BerthGrpc;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ImageServiceGrpc;
import io.berth.cri.v1.RuntimeServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A connection to a daemon's socket; closed by its owner. */
public final class Connection implements AutoCloseable {

    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    private Connection(EventLoopGroup loop, ManagedChannel channel) {
        this.loop = loop;
        this.channel = channel;
    }

    /** @throws RuntimeFault UNAVAILABLE when there is no socket */
    public static Connection to(Path socket) {
        if (!Files.exists(socket)) {
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "connect to " + socket
                    + ": there is no such socket: start \"berth serve\" or name another with --socket");
        }
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        return new Connection(loop, NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollDomainSocketChannel.class).eventLoopGroup(loop).usePlaintext()
                .maxInboundMessageSize(64 << 20).overrideAuthority("localhost").build());
    }

    public RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime() {
        return RuntimeServiceGrpc.newBlockingStub(channel);
    }

    public ImageServiceGrpc.ImageServiceBlockingStub images() {
        return ImageServiceGrpc.newBlockingStub(channel);
    }

    public BerthGrpc.BerthBlockingStub berth() {
        return BerthGrpc.newBlockingStub(channel);
    }

    /** For further stubs. */
    public ManagedChannel channel() {
        return channel;
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
