package io.berth.ttrpc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * One message on the wire: length (4 bytes), stream (4), type (1), flags (1), all big-endian, then the data.
 *
 * @param stream odd, chosen by the client, growing
 */
record Frame(int stream, Type type, int flags, byte[] data) {

    static final int HEADER_BYTES = 10;
    /** The most data that a peer accepts. */
    static final int DATA_LIMIT = 4 << 20;

    /** What a frame is. */
    enum Type {
        REQUEST,
        RESPONSE,
        /** A part of a stream; unary calls have none. */
        DATA;

        int number() {
            return ordinal() + 1;
        }
    }

    byte[] bytes() {
        return ByteBuffer.allocate(HEADER_BYTES + data.length).putInt(data.length).putInt(stream)
                .put((byte) type.number()).put((byte) flags).put(data).array();
    }

    /**
     * Reads the next one; empty at an end between frames.
     *
     * @throws CallFault CONNECTION for what is not a frame, or ends within one
     */
    static Optional<Frame> read(InputStream in) {
        try {
            byte[] first = new byte[HEADER_BYTES];
            int got = in.readNBytes(first, 0, HEADER_BYTES);
            if (got == 0) {
                return Optional.empty();
            }
            if (got < HEADER_BYTES) {
                throw CallFault.connection("read frame: the stream ended after " + got + " bytes of a header");
            }
            ByteBuffer header = ByteBuffer.wrap(first);
            int length = header.getInt();
            int stream = header.getInt();
            int type = header.get();
            // The length is the peer's word: bounded, and memory is taken only as data comes.
            if (length < 0 || length > DATA_LIMIT) {
                throw CallFault.connection("read frame: it has " + Integer.toUnsignedLong(length) + " bytes, the limit is "
                        + DATA_LIMIT);
            }
            if (type < 1 || type > Type.values().length) {
                throw CallFault.connection("read frame: its type is " + type + ", which there is not");
            }
            byte[] data = in.readNBytes(length);
            if (data.length < length) {
                throw CallFault.connection("read frame: the stream ended after " + data.length + " of " + length + " bytes");
            }
            return Optional.of(new Frame(stream, Type.values()[type - 1], header.get() & 0xff, data));
        } catch (IOException e) {
            throw CallFault.connection("read frame: the connection has ended", e);
        }
    }
}
