package io.berth.image;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpTimeoutException;
import java.time.Duration;

/**
 * The body of an answer, given up when it brings no byte for the stall limit: the reader then fails with an
 * {@link HttpTimeoutException}. Read by one thread; the caller closes it.
 */
final class WatchedBody extends InputStream {

    private final InputStream body;
    private final long limitNanos;
    private final Thread watch;
    private volatile long waitingSince;
    private volatile boolean waiting;
    private volatile boolean stalled;

    WatchedBody(InputStream body, Duration limit) {
        this.body = body;
        this.limitNanos = limit.toNanos();
        this.watch = Thread.ofVirtual().name("stall-watch").start(this::watch);
    }

    private void watch() {
        try {
            while (true) {
                // A reader that is busy elsewhere (unpacking, waiting for the disk) does not make the network slow.
                long left = waiting ? limitNanos - (System.nanoTime() - waitingSince) : limitNanos;
                if (left <= 0) {
                    stalled = true;
                    body.close();
                    return;
                }
                Thread.sleep(Duration.ofNanos(Math.max(1_000_000, left)));
            }
        } catch (InterruptedException | IOException e) {
            // Closed by its owner, or the connection is gone: nothing is left to watch.
        }
    }

    @Override
    public int read(byte[] buffer, int from, int count) throws IOException {
        waitingSince = System.nanoTime();
        waiting = true;
        try {
            return body.read(buffer, from, count);
        } catch (IOException e) {
            if (stalled) {
                throw new HttpTimeoutException("no byte came for " + Duration.ofNanos(limitNanos).toSeconds() + " s");
            }
            throw e;
        } finally {
            waiting = false;
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() throws IOException {
        watch.interrupt();
        body.close();
    }
}
