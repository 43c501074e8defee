package io.berth.cli.client;

import io.berth.api.v1.BerthGrpc;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ImageServiceGrpc;
import io.berth.cri.v1.RuntimeServiceGrpc;
import io.berth.cri.v1.VersionRequest;
import io.berth.cri.v1.VersionResponse;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A connection to a daemon's socket; closed by its owner. Thread-safe. */
public final class Connection implements AutoCloseable {

    private static final Duration QUEUE_PATIENCE = Duration.ofSeconds(10);
    private static final long QUEUE_LOOK_MILLIS = 50;
    private static final int LARGEST_ANSWER_BYTES = 64 << 20;

    private final Path socket;
    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    private Connection(Path socket, EventLoopGroup loop, ManagedChannel channel) {
        this.socket = socket;
        this.loop = loop;
        this.channel = channel;
    }

    /**
     * Connects; calls have no deadline.
     *
     * @throws DaemonFault when nobody listens or this user may not connect
     */
    public static Connection to(Path socket) {
        return to(socket, List.of(), QUEUE_PATIENCE);
    }

    /**
     * Connects to a daemon that has to answer within {@code patience}, now and whenever it is asked for what it knows.
     *
     * @throws DaemonFault when nobody listens, this user may not connect, nothing answers, or something else does
     */
    public static Connection toLively(Path socket, Duration patience) {
        Connection connection = to(socket, List.of(new Patience(patience)), patience);
        try {
            connection.version();
            return connection;
        } catch (RuntimeException failure) {
            connection.close();
            throw Failures.fault(failure, socket, "Version");
        }
    }

    private static Connection to(Path socket, List<ClientInterceptor> interceptors, Duration patience) {
        knock(socket, patience);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        return new Connection(socket, loop, NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollDomainSocketChannel.class).eventLoopGroup(loop).usePlaintext().intercept(interceptors)
                .maxInboundMessageSize(LARGEST_ANSWER_BYTES).overrideAuthority("localhost").build());
    }

    // gRPC calls every reason UNAVAILABLE; the kernel tells them apart. It would also wait for ever at a daemon that takes no
    // more connections, so it is not let wait.
    private static void knock(Path socket, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            while (!isTaken(socket)) {
                if (System.nanoTime() > deadline) {
                    throw new DaemonFault(ExitCode.DAEMON_HUNG, "connect to " + socket + ": no answer in time: the daemon hangs"
                            + " and takes no more connections: see its log (journalctl -u berth), or restart it: containers run"
                            + " on");
                }
                Thread.sleep(QUEUE_LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "connect to " + socket + ": interrupted", e);
        } catch (IOException e) {
            String reason = RuntimeFault.reason(e);
            if (reason.contains("Permission denied")) {
                throw new DaemonFault(ExitCode.NOT_PERMITTED, "connect to " + socket
                        + ": permission denied: use sudo, or a group that grpc.gid names in the daemon's configuration");
            }
            throw new DaemonFault(ExitCode.DAEMON_DOWN, "connect to " + socket + ": " + (reason.contains("No such file")
                    ? "there is no such socket" : "nobody listens (" + reason + ")")
                    + ": start the daemon (systemctl start berth, or \"berth serve\") or name another socket with --socket");
        }
    }

    private static boolean isTaken(Path socket) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            return probe.connect(UnixDomainSocketAddress.of(socket));
        } catch (SocketException e) {
            // EAGAIN: the queue is full.
            if (RuntimeFault.reason(e).contains("temporarily unavailable")) {
                return false;
            }
            throw e;
        }
    }

    /** Where it leads. */
    public Path socket() {
        return socket;
    }

    /** Which runtime answers there. */
    public VersionResponse version() {
        return runtime().version(VersionRequest.getDefaultInstance());
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
