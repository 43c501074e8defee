package io.berth.nri.mux;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Deque;

/** One logical connection of a {@link Mux}. One thread reads it, any may write. Ends with its mux. */
public final class Lane {

    /** What may wait to be read: a message that is being put together and one more. */
    static final int BUFFER_BYTES = 2 * Mux.PIECE_LIMIT;

    private final Mux mux;
    private final int number;
    private final Deque<byte[]> pieces = new ArrayDeque<>();
    private int position;
    private int waiting;
    private boolean ended;

    Lane(Mux mux, int number) {
        this.mux = mux;
        this.number = number;
    }

    /** False when too much waits to be read already. */
    synchronized boolean take(byte[] piece) {
        if (piece.length == 0) {
            return true;
        }
        if (waiting + piece.length > BUFFER_BYTES) {
            return false;
        }
        pieces.add(piece);
        waiting += piece.length;
        notifyAll();
        return true;
    }

    synchronized void end() {
        ended = true;
        notifyAll();
    }

    private synchronized int read(byte[] target, int offset, int length) throws IOException {
        while (pieces.isEmpty() && !ended) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
        if (pieces.isEmpty()) {
            return -1;
        }
        byte[] piece = pieces.element();
        int count = Math.min(length, piece.length - position);
        System.arraycopy(piece, position, target, offset, count);
        position += count;
        waiting -= count;
        if (position == piece.length) {
            pieces.remove();
            position = 0;
        }
        return count;
    }

    public InputStream input() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                return length == 0 ? 0 : Lane.this.read(target, offset, length);
            }
        };
    }

    /** Each {@code write} must be one whole message: how it is cut depends on where it begins. */
    public OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one});
            }

            @Override
            public void write(byte[] message, int offset, int length) throws IOException {
                mux.write(number, offset == 0 && length == message.length ? message
                        : java.util.Arrays.copyOfRange(message, offset, offset + length));
            }
        };
    }
}
