package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one HTTP request of a connection: finds what its token stands for and replaces the pipeline by what the client
 * wants to speak, or refuses and closes. Event loop only.
 */
final class HttpEdge extends SimpleChannelInboundHandler<HttpObject> {

    private static final Logger LOG = LoggerFactory.getLogger(HttpEdge.class);
    private static final String CODEC = "http";
    private static final int LINE_BYTES = 4 * 1024;
    private static final int HEADER_BYTES = 16 * 1024;
    private static final int CHUNK_BYTES = 4 * 1024;

    private final OneTimeTokens tokens;
    private final String pathPrefix;
    private final SpdyHandshake spdy;
    private final WebSocketHandshake webSocket;
    private final Runnable whenSettled;
    private Optional<HttpRequest> request = Optional.empty();
    private boolean settled;

    /**
     * @param pathPrefix what comes before "exec/", with a slash at both ends
     * @param whenSettled runs once, when the connection is no longer waiting for its request
     */
    HttpEdge(
            OneTimeTokens tokens,
            String pathPrefix,
            SpdyHandshake spdy,
            WebSocketHandshake webSocket,
            Runnable whenSettled) {
        this.tokens = tokens;
        this.pathPrefix = pathPrefix;
        this.spdy = spdy;
        this.webSocket = webSocket;
        this.whenSettled = whenSettled;
    }

    /** Puts itself and the codec at the end of {@code pipeline}. */
    void install(ChannelPipeline pipeline) {
        pipeline.addLast(CODEC, new HttpServerCodec(LINE_BYTES, HEADER_BYTES, CHUNK_BYTES));
        pipeline.addLast(this);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
        if (settled) {
            return;
        }
        if (message.decoderResult().isFailure()) {
            refuse(ctx, new Upgrade.Refused(HttpResponseStatus.BAD_REQUEST, "malformed request"));
            return;
        }
        if (message instanceof HttpRequest head) {
            request = Optional.of(head);
        }
        if (message instanceof HttpContent body && body.content().isReadable()) {
            refuse(ctx, new Upgrade.Refused(HttpResponseStatus.BAD_REQUEST, "an upgrade has no body"));
        } else if (message instanceof LastHttpContent && request.isPresent()) {
            switch (answer(request.get())) {
                case Upgrade.Refused refused -> refuse(ctx, refused);
                case Upgrade.Accepted accepted -> accept(ctx, accepted);
            }
        }
    }

    private Upgrade answer(HttpRequest http) {
        if (!http.method().equals(HttpMethod.GET) && !http.method().equals(HttpMethod.POST)) {
            return new Upgrade.Refused(HttpResponseStatus.METHOD_NOT_ALLOWED, "use GET or POST");
        }
        Optional<StreamRequest> found = find(http.uri());
        if (found.isEmpty()) {
            return new Upgrade.Refused(HttpResponseStatus.NOT_FOUND, "404 page not found");
        }
        String upgrade = http.headers().get(HttpHeaderNames.UPGRADE, "").toLowerCase(Locale.ROOT);
        boolean wanted = http.headers().getAll(HttpHeaderNames.CONNECTION).stream()
                .anyMatch(line -> line.toLowerCase(Locale.ROOT).contains("upgrade"));
        if (wanted && upgrade.equals("websocket")) {
            return webSocket.upgrade(http, found.get());
        }
        if (wanted && upgrade.contains("spdy/3.1")) {
            return spdy.upgrade(http, found.get());
        }
        return new Upgrade.Refused(
                HttpResponseStatus.BAD_REQUEST, "unable to upgrade: ask for SPDY/3.1 or websocket");
    }

    /** What the path stands for. A token is used up also when the path or the upgrade turns out to be wrong. */
    private Optional<StreamRequest> find(String uri) {
        int query = uri.indexOf('?');
        String path = query < 0 ? uri : uri.substring(0, query);
        if (!path.startsWith(pathPrefix)) {
            return Optional.empty();
        }
        String[] parts = path.substring(pathPrefix.length()).split("/", -1);
        if (parts.length != 2) {
            return Optional.empty();
        }
        return tokens.take(parts[1]).filter(request -> kind(request).equals(parts[0]));
    }

    /** The first part of a request's path. */
    static String kind(StreamRequest request) {
        return switch (request) {
            case ExecRequest exec -> "exec";
            case AttachRequest attach -> "attach";
            case PortForwardRequest forward -> "portforward";
        };
    }

    private void accept(ChannelHandlerContext ctx, Upgrade.Accepted accepted) {
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
        response.headers().add(accepted.headers());
        ctx.writeAndFlush(response);
        settle();
        ChannelPipeline pipeline = ctx.pipeline();
        // First in with the new, so that what the codec has read too much falls into its hands.
        pipeline.addLast(new ReadGate());
        for (ChannelHandler handler : accepted.handlers()) {
            pipeline.addLast(handler);
        }
        pipeline.remove(this);
        pipeline.remove(CODEC);
        pipeline.fireUserEventTriggered(Upgrade.Event.DONE);
    }

    private void refuse(ChannelHandlerContext ctx, Upgrade.Refused refused) {
        settle();
        byte[] reason = (refused.reason() + "\n").getBytes(UTF_8);
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, refused.status(), Unpooled.wrappedBuffer(reason));
        response.headers()
                .add(refused.headers())
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, reason.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    private void settle() {
        if (!settled) {
            settled = true;
            whenSettled.run();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        settle();
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.atDebug().addKeyValue("client", ctx.channel().remoteAddress()).setCause(cause).log("request failed");
        ctx.close();
    }
}
