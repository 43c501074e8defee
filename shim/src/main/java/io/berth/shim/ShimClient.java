package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.runtime.Attachment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A client that is attached to a container. Its output waits in a queue of bounded size. One that does not take it for a
 * while is let go: it must not keep the container and its log from going on.
 */
final class ShimClient implements Attachment {

    private static final int PACKETS = 64;
    private static final int PATIENCE_SECONDS = 10;
    private static final byte[] END = new byte[0];

    private final ShimContainer container;
    private final BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(PACKETS);
    private volatile boolean ended;

    ShimClient(ShimContainer container) {
        this.container = container;
    }

    /** Takes what the container has printed on {@code stream}; false when this client is to be let go. */
    boolean take(int stream, byte[] bytes, int count) {
        for (int from = 0; from < count; from += PACKET_BYTES - 1) {
            byte[] packet = new byte[Math.min(PACKET_BYTES - 1, count - from) + 1];
            packet[0] = (byte) stream;
            System.arraycopy(bytes, from, packet, 1, packet.length - 1);
            if (!offered(packet)) {
                end();
                return false;
            }
        }
        return true;
    }

    private boolean offered(byte[] packet) {
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (!ended && System.nanoTime() < deadline) {
                if (waiting.offer(packet, 100, TimeUnit.MILLISECONDS)) {
                    return true;
                }
            }
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The container prints nothing more; what waits is still received. */
    void finish() {
        if (!offered(END)) {
            end();
        }
    }

    @Override
    public int receive(byte[] packet) {
        try {
            byte[] next = waiting.poll();
            while (next == null && !ended) {
                next = waiting.poll(1, TimeUnit.SECONDS);
            }
            if (next == null || next == END) {
                return -1;
            }
            System.arraycopy(next, 0, packet, 0, next.length);
            return next.length;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait for the output of a container: interrupted", e);
        }
    }

    @Override
    public void send(byte[] bytes, int offset, int length) {
        container.write(bytes, offset, length);
    }

    @Override
    public void endInput() {
        container.clientEndedInput();
    }

    @Override
    public void resize(int rows, int columns) {
        container.resize(rows, columns);
    }

    @Override
    public void end() {
        ended = true;
        // Wakes who waits for an empty queue; with a full one nobody does.
        waiting.offer(END);
    }

    @Override
    public void close() {
        end();
        container.leave(this);
    }
}
