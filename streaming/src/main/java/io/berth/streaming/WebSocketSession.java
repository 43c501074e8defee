package io.berth.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The server's end of a WebSocket whose messages carry numbered channels. Event loop only. */
final class WebSocketSession extends SimpleChannelInboundHandler<WebSocketFrame> implements ClientConnection.Wire {

    private static final Logger LOG = LoggerFactory.getLogger(WebSocketSession.class);
    private static final int CLOSE_CHANNEL = 255;
    private static final int NORMAL = 1000;
    private static final int PROTOCOL_ERROR = 1002;

    /** What the channels are for. */
    interface Channels {

        /** Where the messages of {@code channel} go; {@link DataSink#DISCARD} for one that takes none. */
        DataSink sink(int channel);

        /** The handshake is over: write and start. Messages may have come before. */
        void start();

        /** The connection has ended. */
        void gone();
    }

    private final Executor executor;
    private final Duration idleTimeout;
    private final ChannelProtocol protocol;
    private final Function<WebSocketSession, Channels> purpose;
    private ClientConnection connection;
    private Channels channels;

    WebSocketSession(
            Executor executor,
            Duration idleTimeout,
            ChannelProtocol protocol,
            Function<WebSocketSession, Channels> purpose) {
        this.executor = executor;
        this.idleTimeout = idleTimeout;
        this.protocol = protocol;
        this.purpose = purpose;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        connection = new ClientConnection(ctx.channel(), executor, idleTimeout, this);
        channels = purpose.apply(this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == Upgrade.Event.DONE) {
            channels.start();
        }
        ctx.fireUserEventTriggered(event);
    }

    ClientConnection connection() {
        return connection;
    }

    ChannelProtocol protocol() {
        return protocol;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
        connection.active();
        if (frame instanceof CloseWebSocketFrame) {
            // Before version 5 this is how a client ends its input: it leaves.
            ctx.close();
            return;
        }
        if (connection.finishing()) {
            return;
        }
        switch (frame) {
            case PingWebSocketFrame ping -> connection.answer(new PongWebSocketFrame(ping.content().retain()));
            case BinaryWebSocketFrame binary -> message(binary.content());
            case TextWebSocketFrame text -> message(text.content());
            default -> LOG.atTrace().addKeyValue("frame", frame).log("frame ignored");
        }
    }

    private void message(ByteBuf content) {
        if (!content.isReadable()) {
            return;
        }
        int channel = content.readUnsignedByte();
        if (protocol.base64()) {
            base64Message(channel - '0', content);
        } else if (protocol.closesChannels() && channel == CLOSE_CHANNEL) {
            closeChannel(content);
        } else {
            channels.sink(channel).data(content);
        }
    }

    private void base64Message(int channel, ByteBuf content) {
        byte[] encoded = new byte[content.readableBytes()];
        content.readBytes(encoded);
        try {
            channels.sink(channel).data(Unpooled.wrappedBuffer(Base64.getDecoder().decode(encoded)));
        } catch (IllegalArgumentException notBase64) {
            LOG.atDebug().addKeyValue("channel", channel).log("message dropped: not base64");
        }
    }

    private void closeChannel(ByteBuf content) {
        if (content.readableBytes() == 1) {
            channels.sink(content.readUnsignedByte()).end();
        } else {
            connection.sendNow(new CloseWebSocketFrame(PROTOCOL_ERROR, "one channel must follow the close signal"));
            connection.abort();
        }
    }

    @Override
    public Object ping() {
        return new PingWebSocketFrame();
    }

    @Override
    public List<Object> farewell() {
        return List.of(new CloseWebSocketFrame(NORMAL, ""));
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        connection.writabilityChanged();
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        channels.gone();
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.atDebug()
                .addKeyValue("client", ctx.channel().remoteAddress())
                .setCause(cause)
                .log("websocket session failed");
        ctx.close();
    }
}
