package io.berth.streaming;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.spdy.DefaultSpdyGoAwayFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyGoAwayFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySessionStatus;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's end of a SPDY/3.1 session: streams by id, replies, pings, resets. Event loop only.
 *
 * <p>It interoperates with spdystream: that one drops data which comes before the reply, so every stream is answered at
 * once; it wants at least one header in a compressed block, so the reply repeats the stream's type; it ignores data for
 * streams it does not know, and so does this, for a client learns only later that a stream has ended. SETTINGS, HEADERS
 * and WINDOW_UPDATE have no meaning for its users and are ignored.
 */
final class SpdySession extends SimpleChannelInboundHandler<Object> implements ClientConnection.Wire {

    private static final Logger LOG = LoggerFactory.getLogger(SpdySession.class);

    /** What the streams are for. */
    interface Streams {

        /** How many may be open at once. */
        int limit();

        /** Takes a new stream, sets its sink; false refuses it. */
        boolean opened(SpdyStream stream);

        /** The client has reset {@code stream}. */
        void reset(SpdyStream stream);

        /** The connection has ended. */
        void gone();
    }

    private final Executor executor;
    private final Duration idleTimeout;
    private final Function<SpdySession, Streams> purpose;
    private final Map<Integer, SpdyStream> open = new HashMap<>();
    private ClientConnection connection;
    private Streams streams;
    private int newest;
    private int pingId;
    private boolean leaving;

    SpdySession(Executor executor, Duration idleTimeout, Function<SpdySession, Streams> purpose) {
        this.executor = executor;
        this.idleTimeout = idleTimeout;
        this.purpose = purpose;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        connection = new ClientConnection(ctx.channel(), executor, idleTimeout, this);
        streams = purpose.apply(this);
    }

    ClientConnection connection() {
        return connection;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, Object frame) {
        connection.active();
        if (connection.finishing()) {
            return;
        }
        switch (frame) {
            case SpdySynStreamFrame syn -> openStream(syn);
            case SpdyDataFrame data -> data(data);
            case SpdyRstStreamFrame reset -> reset(reset.streamId());
            case SpdyPingFrame ping -> ping(ping.id());
            case SpdyGoAwayFrame goAway -> goAway();
            default -> LOG.atTrace().addKeyValue("frame", frame).log("frame ignored");
        }
    }

    private void openStream(SpdySynStreamFrame syn) {
        int id = syn.streamId();
        SpdyStream.Labels labels = SpdyStream.Labels.of(syn.headers());
        if (id <= newest || id % 2 == 0 || syn.isInvalid() || syn.isTruncated() || labels.tooLong()) {
            refuse(id, SpdyStreamStatus.PROTOCOL_ERROR);
            return;
        }
        newest = id;
        if (leaving || open.size() >= streams.limit()) {
            refuse(id, SpdyStreamStatus.REFUSED_STREAM);
            return;
        }
        SpdySynReplyFrame reply = new DefaultSpdySynReplyFrame(id);
        reply.headers().set("streamtype", labels.type().isEmpty() ? "none" : labels.type());
        SpdyStream stream = new SpdyStream(id, labels, connection);
        // The reply goes first: the purpose may start a process that writes at once.
        connection.answer(reply);
        open.put(id, stream);
        if (!streams.opened(stream)) {
            open.remove(id);
            refuse(id, SpdyStreamStatus.REFUSED_STREAM);
        } else if (syn.isLast()) {
            stream.sink().end();
        }
    }

    private void refuse(int id, SpdyStreamStatus why) {
        connection.answer(new DefaultSpdyRstStreamFrame(id, why));
    }

    private void data(SpdyDataFrame frame) {
        int id = frame.streamId();
        SpdyStream stream = open.get(id);
        if (stream == null) {
            if (id > newest) {
                refuse(id, SpdyStreamStatus.INVALID_STREAM);
            }
            return;
        }
        stream.sink().data(frame.content());
        if (frame.isLast()) {
            stream.sink().end();
        }
    }

    private void reset(int id) {
        SpdyStream stream = open.remove(id);
        if (stream != null) {
            // First the signal, then what makes the call fail: a call that has returned gets no signal any more.
            streams.reset(stream);
            stream.out().abort();
            stream.sink().broken();
        }
        endIfLeft();
    }

    private void ping(int id) {
        // Odd ids are the client's; even ones come back from us.
        if (id % 2 != 0) {
            connection.answer(new DefaultSpdyPingFrame(id));
        }
    }

    private void goAway() {
        leaving = true;
        endIfLeft();
    }

    private void endIfLeft() {
        if (leaving && open.isEmpty()) {
            connection.finish();
        }
    }

    /** Forgets a stream whose work is done; what the client still sends on it is ignored. */
    void forget(SpdyStream stream) {
        open.remove(stream.id());
        endIfLeft();
    }

    @Override
    public Object ping() {
        pingId = pingId >= Integer.MAX_VALUE - 3 ? 2 : pingId + 2;
        return new DefaultSpdyPingFrame(pingId);
    }

    @Override
    public List<Object> farewell() {
        List<Object> frames = new ArrayList<>();
        // The end of each output went before; the reset also releases a client that waits for our end of its input.
        for (int id : open.keySet()) {
            frames.add(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
        }
        open.clear();
        frames.add(new DefaultSpdyGoAwayFrame(newest, SpdySessionStatus.OK));
        return frames;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        connection.writabilityChanged();
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        streams.gone();
        open.values().forEach(stream -> {
            stream.out().abort();
            stream.sink().broken();
        });
        open.clear();
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.atDebug().addKeyValue("client", ctx.channel().remoteAddress()).setCause(cause).log("spdy session failed");
        ctx.close();
    }
}
