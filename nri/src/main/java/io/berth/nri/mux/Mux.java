package io.berth.nri.mux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Logical connections over one socket. Each piece on the wire has a header of the connection's number and the piece's length,
 * four bytes each, big-endian. Owns the socket; whatever is wrong on it ends all connections. Thread-safe.
 *
 * <p>Source: github.com/containerd/nri, pkg/net/multiplex.
 */
public final class Mux implements AutoCloseable {

    /** The connection on which the plugin answers. */
    public static final int PLUGIN = 1;
    /** The connection on which the runtime answers. */
    public static final int RUNTIME = 2;

    /** The reason for an end that is an orderly one. */
    public static final String CLOSED_BY_PEER = "it has closed the connection";

    private static final int HEADER_BYTES = 8;
    /** The longest ttrpc frame. */
    static final int PIECE_LIMIT = (4 << 20) + 10;
    /**
     * The Go side reads a piece with one read into a buffer of this size, and fails when it does not fit. Only the rest of a
     * message that began in such a piece may be longer, because the reader has a buffer of the message's size by then.
     */
    private static final int FIRST_PIECE = 4096;
    private static final int SLICE = 64 << 10;

    private final String peer;
    private final ByteChannel trunk;
    private final Map<Integer, Lane> lanes = new HashMap<>();
    private final ReentrantLock writing = new ReentrantLock();
    private volatile String end = "";

    /** @param peer the other side's name, for messages */
    public Mux(String peer, ByteChannel trunk) {
        this.peer = peer;
        this.trunk = trunk;
    }

    /** Opens a connection, before {@link #start}. */
    public Lane open(int number) {
        return lanes.computeIfAbsent(number, key -> new Lane(this, key));
    }

    /** Begins to read. */
    public void start() {
        Thread.ofVirtual().name("mux " + peer).start(this::read);
    }

    /** Why it has ended; empty while it has not. */
    public String end() {
        return end;
    }

    private void read() {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        try {
            while (fill(header.clear())) {
                header.flip();
                int number = header.getInt();
                int length = header.getInt();
                if (length < 0 || length > PIECE_LIMIT) {
                    end("it announced " + Integer.toUnsignedLong(length) + " bytes, the limit is " + PIECE_LIMIT);
                    return;
                }
                if (!pass(Optional.ofNullable(lanes.get(number)), length)) {
                    break;
                }
            }
            end(CLOSED_BY_PEER);
        } catch (IOException e) {
            end(RuntimeFault.reason(e));
        }
    }

    // In slices: memory is taken only as data comes, and the JDK copies through memory of a read's size that it keeps.
    private boolean pass(Optional<Lane> lane, int length) throws IOException {
        for (int done = 0; done < length; done += SLICE) {
            ByteBuffer slice = ByteBuffer.allocate(Math.min(SLICE, length - done));
            if (!fill(slice)) {
                return false;
            }
            if (lane.isPresent() && !lane.get().take(slice.array())) {
                end("it sends more than is read: " + Lane.BUFFER_BYTES + " bytes wait");
                return false;
            }
        }
        return true;
    }

    private boolean fill(ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            if (trunk.read(target) < 0) {
                return false;
            }
        }
        return true;
    }

    /** Writes one message, which must be a whole one. */
    void write(int number, byte[] message) throws IOException {
        writing.lock();
        try {
            int first = Math.min(FIRST_PIECE, message.length);
            piece(number, message, 0, first);
            if (first < message.length) {
                piece(number, message, first, message.length - first);
            }
        } finally {
            writing.unlock();
        }
    }

    private void piece(int number, byte[] message, int offset, int length) throws IOException {
        put(ByteBuffer.allocate(HEADER_BYTES).putInt(number).putInt(length).flip());
        for (int done = 0; done < length; done += SLICE) {
            put(ByteBuffer.wrap(message, offset + done, Math.min(SLICE, length - done)));
        }
    }

    private void put(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            trunk.write(bytes);
        }
    }

    private void end(String reason) {
        synchronized (lanes) {
            if (!end.isEmpty()) {
                return;
            }
            end = reason;
        }
        try {
            trunk.close();
        } catch (IOException e) {
            // Nothing can be done with it any more, closed or not.
            end = reason + "; " + RuntimeFault.reason(e);
        }
        lanes.values().forEach(Lane::end);
    }

    /** Ends all connections and closes the socket. */
    @Override
    public void close() {
        end("it was closed here");
    }
}
