package io.berth.ttrpc;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes frames on a thread of its own, one {@code write} a frame, so that a peer that does not read never holds up who
 * sends to it. Thread-safe. Does not own the stream; its thread ends with {@link #close} or the first failed write.
 */
final class FrameWriter implements AutoCloseable {

    private static final long QUEUED_BYTES = 2L * Frame.DATA_LIMIT;
    /** What an empty frame costs while it waits. */
    private static final int FRAME_COST = 256;

    private final String name;
    private final OutputStream out;
    private final BlockingQueue<byte[]> queue = new LinkedBlockingQueue<>();
    private final AtomicLong queued = new AtomicLong();
    private final Thread thread;
    private volatile boolean ended;

    FrameWriter(String name, OutputStream out) {
        this.name = name;
        this.out = out;
        this.thread = Thread.ofVirtual().name("ttrpc writer " + name).start(this::run);
    }

    /** @throws CallFault CONNECTION when the peer has stopped reading or the connection has ended */
    void send(Frame frame) {
        if (ended) {
            throw CallFault.connection("send to " + name + ": the connection has ended");
        }
        byte[] bytes = frame.bytes();
        long cost = bytes.length + FRAME_COST;
        if (queued.addAndGet(cost) > QUEUED_BYTES) {
            queued.addAndGet(-cost);
            throw CallFault.connection("send to " + name + ": it does not read: " + queue.size() + " messages wait");
        }
        queue.add(bytes);
    }

    private void run() {
        try {
            while (!ended) {
                byte[] bytes = queue.take();
                out.write(bytes);
                out.flush();
                queued.addAndGet(-(bytes.length + FRAME_COST));
            }
        } catch (IOException | RuntimeFault | InterruptedException closed) {
            // The reader of the same connection sees its end and says so.
            ended = true;
        }
    }

    @Override
    public void close() {
        ended = true;
        thread.interrupt();
    }
}
