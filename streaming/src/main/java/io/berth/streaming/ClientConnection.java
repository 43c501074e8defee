package io.berth.streaming;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * One upgraded connection: its limits of memory and time, and its end.
 *
 * <p>Neither protocol has flow control of its own that peers use: spdystream, the library of every Kubernetes client,
 * reads WINDOW_UPDATE and ignores it, and never sends one. So TCP is the flow control. Towards the client, at most
 * {@link #WRITE_BUDGET} bytes are on their way and more writes wait. From the client, reading stops while more than
 * {@link #QUEUE_HIGH} bytes wait for their readers.
 */
final class ClientConnection {

    static final int WRITE_BUDGET = 128 * 1024;
    static final int QUEUE_HIGH = 256 * 1024;
    static final int QUEUE_LOW = 128 * 1024;
    private static final int FRAME_OVERHEAD = 64;
    private static final Duration PROBE_PERIOD = Duration.ofSeconds(2);
    private static final Duration FAREWELL_LIMIT = Duration.ofSeconds(60);
    private static final Duration LINGER = Duration.ofSeconds(5);

    /** What the protocol contributes. Called on the event loop. */
    interface Wire {

        Object ping();

        /** The last frames of an orderly end. */
        List<Object> farewell();
    }

    private final Channel channel;
    private final Executor executor;
    private final Wire wire;
    private final long idleNanos;
    private final Semaphore budget = new Semaphore(WRITE_BUDGET, true);
    private final AtomicInteger queued = new AtomicInteger();
    private volatile long lastActivityNanos = System.nanoTime();

    // Event loop only.
    private boolean paused;
    private boolean flooded;
    private boolean finishing;
    private ScheduledFuture<?> idleCheck;

    /** On the event loop. */
    ClientConnection(Channel channel, Executor executor, Duration idleTimeout, Wire wire) {
        this.channel = channel;
        this.executor = executor;
        this.wire = wire;
        this.idleNanos = idleTimeout.toNanos();
        checkIdleIn(idleNanos);
        channel.closeFuture().addListener(closed -> idleCheck.cancel(false));
    }

    Executor executor() {
        return executor;
    }

    ByteBufAllocator alloc() {
        return channel.alloc();
    }

    /** Sends a frame of {@code bytes} payload, after waiting for room. */
    void send(int bytes, Supplier<Object> frame) throws IOException {
        int permits = Math.min(bytes + FRAME_OVERHEAD, WRITE_BUDGET);
        try {
            budget.acquire(permits);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("write stream: interrupted");
        }
        if (!channel.isActive()) {
            budget.release(permits);
            throw new IOException("write stream: client is gone");
        }
        // The room comes back when the bytes have left for the kernel or the channel has failed: nobody waits forever.
        channel.writeAndFlush(frame.get()).addListener(done -> {
            budget.release(permits);
            if (done.isSuccess()) {
                active();
            }
        });
    }

    /** Sends a small frame without waiting. */
    void sendNow(Object frame) {
        channel.writeAndFlush(frame);
    }

    /**
     * Answers a frame of the client on the event loop. A client that makes us answer and does not read the answers is
     * not read from until it does.
     */
    void answer(Object frame) {
        channel.writeAndFlush(frame);
        if (!channel.isWritable()) {
            flooded = true;
            applyReading();
        }
    }

    void writabilityChanged() {
        if (flooded && channel.isWritable()) {
            flooded = false;
            applyReading();
        }
    }

    /** Something came from the client. */
    void active() {
        lastActivityNanos = System.nanoTime();
    }

    /** {@code bytes} more wait for a reader. */
    void arrived(int bytes) {
        if (queued.addAndGet(bytes) > QUEUE_HIGH) {
            applyReading();
        }
    }

    /** {@code bytes} fewer wait for a reader; from any thread. */
    void consumed(int bytes) {
        int before = queued.getAndAdd(-bytes);
        if (before > QUEUE_LOW && before - bytes <= QUEUE_LOW) {
            onLoop(this::applyReading);
        }
    }

    private void applyReading() {
        int waiting = queued.get();
        boolean pause = !finishing && (flooded || waiting > (paused ? QUEUE_LOW : QUEUE_HIGH));
        if (pause == paused) {
            return;
        }
        paused = pause;
        channel.config().setAutoRead(!pause);
        if (pause) {
            probeIn(PROBE_PERIOD);
        }
    }

    /**
     * Who does not read does not learn that the client has closed. Writing does: the kernel answers with a reset, and
     * the write after it fails. So a paused connection is pinged.
     */
    private void probeIn(Duration period) {
        channel.eventLoop()
                .schedule(
                        () -> {
                            if (paused && channel.isActive()) {
                                if (channel.isWritable()) {
                                    channel.writeAndFlush(wire.ping()).addListener(sent -> {
                                        if (!sent.isSuccess()) {
                                            channel.close();
                                        }
                                    });
                                }
                                probeIn(period);
                            }
                        },
                        period.toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    private void checkIdleIn(long nanos) {
        idleCheck = channel.eventLoop()
                .schedule(
                        () -> {
                            long left = idleNanos - (System.nanoTime() - lastActivityNanos);
                            if (left <= 0) {
                                channel.close();
                            } else {
                                checkIdleIn(left);
                            }
                        },
                        nanos,
                        TimeUnit.NANOSECONDS);
    }

    /** Ends in order: the last frames, then our half of the connection, then all of it. From any thread. */
    void finish() {
        onLoop(() -> {
            if (finishing || !channel.isActive()) {
                return;
            }
            finishing = true;
            applyReading();
            closeIn(FAREWELL_LIMIT);
            ChannelFuture last = channel.newSucceededFuture();
            for (Object frame : wire.farewell()) {
                last = channel.write(frame);
            }
            last.addListener(sent -> halfClose());
            channel.flush();
        });
    }

    /**
     * Closing at once could turn into a reset, for the client may still be sending, and a reset discards what is in our
     * send buffer: the end of the output. So we say that we are done and read on until the client closes.
     */
    private void halfClose() {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (channel instanceof DuplexChannel duplex) {
            ChannelFuture done = duplex.shutdownOutput();
            done.addListener(shut -> {
                if (!shut.isSuccess()) {
                    channel.close();
                }
            });
        }
        closeIn(LINGER);
    }

    private void closeIn(Duration delay) {
        var close = channel.eventLoop().schedule(() -> channel.close(), delay.toMillis(), TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> close.cancel(false));
    }

    /** Whether the orderly end has begun; what the client still sends no longer counts. Event loop only. */
    boolean finishing() {
        return finishing;
    }

    /** Ends without ceremony. */
    void abort() {
        channel.close();
    }

    /** Runs {@code action} on the event loop; nothing when the server is closed. */
    void onLoop(Runnable action) {
        if (channel.eventLoop().inEventLoop()) {
            action.run();
            return;
        }
        try {
            channel.eventLoop().execute(action);
        } catch (RejectedExecutionException closed) {
            // The loop ends after its connections: there is nothing left to act upon.
            return;
        }
    }

    /** Runs {@code action} on the event loop after {@code delay}, also when the connection has ended by then. */
    ScheduledFuture<?> after(Duration delay, Runnable action) {
        return channel.eventLoop().schedule(action, delay.toMillis(), TimeUnit.MILLISECONDS);
    }
}
