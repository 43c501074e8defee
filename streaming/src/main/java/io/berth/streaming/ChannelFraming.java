package io.berth.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/**
 * A channel in WebSocket messages: the channel's number, then the payload; with Base64 the number as a digit, then the
 * encoded payload. A server never says that a channel has ended: clients of every version wait for the close.
 *
 * <p>Source: k8s.io/apimachinery, util/httpstream/wsstream.
 */
record ChannelFraming(int channel, boolean base64) implements Outbox.Framing {

    /** A message without payload: clients take the first one as "the connection is there". */
    Object hello() {
        return data(new byte[0], 0, 0);
    }

    @Override
    public Object data(byte[] source, int start, int length) {
        if (base64) {
            byte[] encoded = Base64.getEncoder().encode(Arrays.copyOfRange(source, start, start + length));
            return new TextWebSocketFrame((char) ('0' + channel) + new String(encoded, StandardCharsets.US_ASCII));
        }
        ByteBuf message = Unpooled.buffer(length + 1);
        message.writeByte(channel).writeBytes(source, start, length);
        return new BinaryWebSocketFrame(message);
    }

    @Override
    public Optional<Object> end() {
        return Optional.empty();
    }
}
