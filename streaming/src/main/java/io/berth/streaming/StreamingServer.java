package io.berth.streaming;

import io.berth.base.RuntimeFault;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves exec, attach and port-forward to Kubernetes clients over SPDY/3.1 and WebSocket.
 *
 * <p>The CRI's Exec, Attach and PortForward answer with a URL; the kubelet sends its client there. Each URL holds a
 * token that is good once and for a minute. Nothing listens and no thread runs before the first URL or {@link #start}.
 * One thread then does all socket work; every {@link StreamTarget} call runs on the executor, which stays the caller's.
 * Thread-safe. {@link #close} ends every session.
 *
 * <p>The protocols are those of k8s.io/cri-streaming (formerly k8s.io/kubelet/pkg/cri/streaming), which containerd and
 * CRI-O use, and version 5 on WebSocket beside them.
 */
public final class StreamingServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StreamingServer.class);

    /** Connections that have not made their request yet: they cost a token to nobody, so there is a limit. */
    private static final int UNSETTLED_LIMIT = 256;

    private static final int READ_BUFFER_BYTES = 16 * 1024;
    private static final int BACKLOG = 128;

    private final StreamingSettings settings;
    private final OneTimeTokens tokens;
    private final SpdyHandshake spdy;
    private final WebSocketHandshake webSocket;

    // Guarded by this.
    private Optional<Listening> listening = Optional.empty();
    private boolean closed;

    // Event loop only.
    private int unsettled;

    private record Listening(EventLoopGroup loop, ChannelGroup connections, InetSocketAddress address, URI base) {}

    /** Keeps the arguments; does not listen yet. */
    public StreamingServer(StreamingSettings settings, StreamTarget target, Executor executor) {
        this.settings = settings;
        this.tokens = new OneTimeTokens(settings.tokenLifetime(), settings.maxTokens());
        this.spdy = new SpdyHandshake(target, executor, settings);
        this.webSocket = new WebSocketHandshake(target, executor, settings, spdy);
    }

    /** A URL for {@code request}, good once. */
    public URI exec(ExecRequest request) {
        return url(request);
    }

    /** A URL for {@code request}, good once. */
    public URI attach(AttachRequest request) {
        return url(request);
    }

    /** A URL for {@code request}, good once. */
    public URI portForward(PortForwardRequest request) {
        return url(request);
    }

    private URI url(StreamRequest request) {
        URI base = listen().base;
        return base.resolve(HttpEdge.kind(request) + "/" + tokens.issue(request));
    }

    /** Listens from now on; nothing when it does already. */
    public void start() {
        listen();
    }

    /** Where it listens; starts it. */
    public InetSocketAddress address() {
        return listen().address;
    }

    /** How many connections are open. */
    public synchronized int connections() {
        return listening.map(l -> l.connections.size()).orElse(0);
    }

    private synchronized Listening listen() {
        if (closed) {
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "serve streams: the server is closed");
        }
        if (listening.isEmpty()) {
            listening = Optional.of(bind());
        }
        return listening.get();
    }

    private Listening bind() {
        Optional<SslContext> tls = settings.tls().map(StreamingServer::tlsContext);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("streaming", true), NioIoHandler.newFactory());
        ChannelGroup connections = new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE, true);
        ChannelFuture bound = bootstrap(loop, connections, tls)
                .bind(settings.address(), settings.port())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw RuntimeFault.during(
                    "listen for streams on " + settings.address() + ":" + settings.port(), bound.cause());
        }
        Channel listener = bound.channel();
        connections.add(listener);
        InetSocketAddress address = (InetSocketAddress) listener.localAddress();
        LOG.atInfo().addKeyValue("address", address).addKeyValue("tls", tls.isPresent()).log("streaming started");
        return new Listening(loop, connections, address, base(address));
    }

    private ServerBootstrap bootstrap(EventLoopGroup loop, ChannelGroup connections, Optional<SslContext> tls) {
        String prefix = prefix(settings.baseUrl());
        return new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(READ_BUFFER_BYTES))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        connections.add(channel);
                        connected(channel, tls, prefix);
                    }
                });
    }

    private void connected(SocketChannel channel, Optional<SslContext> tls, String prefix) {
        if (unsettled >= UNSETTLED_LIMIT) {
            channel.close();
            return;
        }
        unsettled++;
        tls.ifPresent(context -> channel.pipeline().addLast(context.newHandler(channel.alloc())));
        var timer = channel.eventLoop()
                .schedule(
                        () -> channel.close(),
                        settings.streamCreationTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
        new HttpEdge(tokens, prefix, spdy, webSocket, () -> {
                    unsettled--;
                    timer.cancel(false);
                })
                .install(channel.pipeline());
    }

    private static SslContext tlsContext(StreamingSettings.Tls tls) {
        try {
            return SslContextBuilder.forServer(
                            tls.certificate().toFile(), tls.key().toFile())
                    .protocols("TLSv1.3", "TLSv1.2")
                    .build();
        } catch (SSLException | IllegalArgumentException failure) {
            throw RuntimeFault.during(
                    "load streaming certificate " + tls.certificate() + " with key " + tls.key()
                            + " (PEM, the key as PKCS#8)",
                    failure);
        }
    }

    /** With a slash at the end, so that paths resolve below it. */
    private URI base(InetSocketAddress address) {
        if (settings.baseUrl().isPresent()) {
            return settings.baseUrl().get().resolve(prefix(settings.baseUrl()));
        }
        // A wildcard is no address to connect to; who gets the URL, the kubelet, is on this machine.
        boolean wildcard = address.getAddress().isAnyLocalAddress();
        String host = wildcard ? "127.0.0.1" : address.getAddress().getHostAddress();
        String literal = host.contains(":") ? "[" + host + "]" : host;
        String scheme = settings.tls().isPresent() ? "https" : "http";
        return URI.create(scheme + "://" + literal + ":" + address.getPort() + "/");
    }

    private static String prefix(Optional<URI> baseUrl) {
        String path = baseUrl.map(URI::getRawPath).orElse("/");
        return path.endsWith("/") ? path : path + "/";
    }

    /** Stops listening and ends every session: their targets see the client gone. Does not wait for the targets. */
    @Override
    public void close() {
        Optional<Listening> last;
        synchronized (this) {
            closed = true;
            last = listening;
            listening = Optional.empty();
        }
        last.ifPresent(l -> {
            l.connections.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
            l.loop.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
        });
    }
}
