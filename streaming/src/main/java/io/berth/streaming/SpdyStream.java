package io.berth.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyHeaders;
import java.util.Optional;

/** One stream that the client has opened in a SPDY session. Event loop only, apart from the outbox. */
final class SpdyStream {

    /** The headers that Kubernetes clients put on a stream (k8s.io/api/core/v1: streamType, port, requestID). */
    record Labels(String type, String port, String requestId) {

        static final int LIMIT = 128;

        static Labels of(SpdyHeaders headers) {
            return new Labels(text(headers, "streamtype"), text(headers, "port"), text(headers, "requestid"));
        }

        private static String text(SpdyHeaders headers, String name) {
            return Optional.ofNullable(headers.getAsString(name)).orElse("");
        }

        /** They are kept for as long as the stream lives: nobody needs long ones. */
        boolean tooLong() {
            return type.length() > LIMIT || port.length() > LIMIT || requestId.length() > LIMIT;
        }
    }

    private final int id;
    private final Labels labels;
    private final Outbox out;
    private DataSink sink = DataSink.DISCARD;

    SpdyStream(int id, Labels labels, ClientConnection connection) {
        this.id = id;
        this.labels = labels;
        this.out = new Outbox(connection, new DataFraming(id));
    }

    int id() {
        return id;
    }

    Labels labels() {
        return labels;
    }

    Outbox out() {
        return out;
    }

    DataSink sink() {
        return sink;
    }

    /** Where the client's bytes go from now on. */
    void sink(DataSink destination) {
        sink = destination;
    }

    private record DataFraming(int id) implements Outbox.Framing {

        @Override
        public Object data(byte[] source, int start, int length) {
            ByteBuf payload = Unpooled.copiedBuffer(source, start, length);
            return new DefaultSpdyDataFrame(id, payload);
        }

        @Override
        public Optional<Object> end() {
            SpdyDataFrame fin = new DefaultSpdyDataFrame(id);
            fin.setLast(true);
            return Optional.of(fin);
        }
    }
}
