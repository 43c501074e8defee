package io.berth.streaming;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Bytes for the client on one stream or channel. A write blocks while the client does not read. Thread-safe.
 */
final class Outbox extends OutputStream {

    /** The largest payload of a frame: Kubernetes clients read 32 KiB at a time. */
    private static final int CHUNK_BYTES = 32 * 1024;

    /** How a protocol puts payload into frames. Must be callable from every thread. */
    interface Framing {

        Object data(byte[] source, int start, int length);

        /** The frame that says "no more", where the protocol has one. */
        Optional<Object> end();
    }

    private final ClientConnection connection;
    private final Framing framing;
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile boolean aborted;

    Outbox(ClientConnection connection, Framing framing) {
        this.connection = connection;
        this.framing = framing;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    /** Writing nothing sends an empty message: clients see that the stream lives. */
    @Override
    public void write(byte[] source, int start, int length) throws IOException {
        Objects.checkFromIndexSize(start, length, source.length);
        if (length == 0 && !aborted && !ended.get()) {
            connection.send(0, () -> framing.data(source, start, 0));
        }
        int position = start;
        int left = length;
        while (left > 0) {
            if (aborted || ended.get()) {
                throw new IOException("write stream: " + (aborted ? "reset by client" : "stream is closed"));
            }
            int from = position;
            int size = Math.min(left, CHUNK_BYTES);
            connection.send(size, () -> framing.data(source, from, size));
            position += size;
            left -= size;
        }
    }

    /** Tells the client that the stream has ended; does not wait for it. */
    @Override
    public void close() {
        if (ended.compareAndSet(false, true) && !aborted) {
            framing.end().ifPresent(connection::sendNow);
        }
    }

    /** The client does not want the stream any more. */
    void abort() {
        aborted = true;
    }
}
