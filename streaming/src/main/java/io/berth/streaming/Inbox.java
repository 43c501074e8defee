package io.berth.streaming;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes from the client on their way to a blocking reader.
 *
 * <p>The event loop adds and never waits; the connection counts what is queued and stops reading from the socket when
 * that becomes too much ({@link ClientConnection#arrived}). Locks, not monitors, so that a virtual thread that waits
 * gives its carrier away on every JDK.
 */
final class Inbox extends InputStream implements DataSink {

    /** Counted for each chunk beside its bytes, so that a client of one-byte frames is held back as well. */
    private static final int CHUNK_OVERHEAD = 64;

    private enum State {
        OPEN,
        ENDED,
        BROKEN,
        CLOSED
    }

    private final ClientConnection connection;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<byte[]> chunks = new ArrayDeque<>();
    private int offset;
    private State state = State.OPEN;

    Inbox(ClientConnection connection) {
        this.connection = connection;
    }

    @Override
    public void data(ByteBuf bytes) {
        int size = bytes.readableBytes();
        if (size == 0) {
            return;
        }
        lock.lock();
        try {
            if (state != State.OPEN) {
                return;
            }
            byte[] chunk = new byte[size];
            bytes.getBytes(bytes.readerIndex(), chunk);
            chunks.add(chunk);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        connection.arrived(size + CHUNK_OVERHEAD);
    }

    @Override
    public void end() {
        become(State.ENDED);
    }

    @Override
    public void broken() {
        become(State.BROKEN);
    }

    private void become(State next) {
        lock.lock();
        try {
            // A connection that is lost after a clean end does not undo the end.
            if (state == State.OPEN) {
                state = next;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int start, int length) throws IOException {
        Objects.checkFromIndexSize(start, length, target.length);
        if (length == 0) {
            return 0;
        }
        int copied;
        int freed = 0;
        lock.lock();
        try {
            if (!awaitChunk()) {
                return -1;
            }
            byte[] head = chunks.element();
            copied = Math.min(length, head.length - offset);
            System.arraycopy(head, offset, target, start, copied);
            offset += copied;
            if (offset == head.length) {
                chunks.remove();
                offset = 0;
                freed = head.length + CHUNK_OVERHEAD;
            }
        } finally {
            lock.unlock();
        }
        connection.consumed(freed);
        return copied;
    }

    /** Waits for bytes; false at the end. What came before a break is still handed out. */
    private boolean awaitChunk() throws IOException {
        while (chunks.isEmpty()) {
            switch (state) {
                case OPEN -> awaitChange();
                case ENDED -> {
                    return false;
                }
                case BROKEN -> throw new IOException("read stream: client is gone");
                case CLOSED -> throw new IOException("read stream: stream is closed");
            }
        }
        return true;
    }

    private void awaitChange() throws InterruptedIOException {
        try {
            changed.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("read stream: interrupted");
        }
    }

    @Override
    public int available() {
        lock.lock();
        try {
            return chunks.isEmpty() ? 0 : chunks.element().length - offset;
        } finally {
            lock.unlock();
        }
    }

    /** Discards what is queued and whatever the client still sends. */
    @Override
    public void close() {
        int freed = 0;
        lock.lock();
        try {
            state = State.CLOSED;
            for (byte[] chunk : chunks) {
                freed += chunk.length + CHUNK_OVERHEAD;
            }
            chunks.clear();
            offset = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        connection.consumed(freed);
    }
}
