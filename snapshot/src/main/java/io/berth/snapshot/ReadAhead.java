package io.berth.snapshot;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Reads a stream on a thread of its own, some buffers ahead: a layer is decompressed and hashed on one processor while
 * its files are written on another. What the stream throws reaches the reader. Used by one thread; {@link #close()} waits
 * until the stream is no longer touched.
 */
final class ReadAhead extends InputStream {

    private static final int BUFFER = 256 * 1024;
    private static final int BUFFERS = 4;

    private record Filled(byte[] bytes, int length, Throwable failure) {}

    private final BlockingQueue<byte[]> empty = new ArrayBlockingQueue<>(BUFFERS);
    // One place more than there are buffers: the mark of the end always fits.
    private final BlockingQueue<Filled> full = new ArrayBlockingQueue<>(BUFFERS + 1);
    private final Thread reader;
    private Filled current = new Filled(new byte[0], 0, null);
    private int at;
    private boolean ended;

    ReadAhead(InputStream source) {
        for (int i = 0; i < BUFFERS; i++) {
            empty.add(new byte[BUFFER]);
        }
        this.reader = Thread.ofPlatform().name("layer-reader").daemon().start(() -> fill(source));
    }

    private void fill(InputStream source) {
        Throwable failure = null;
        try {
            while (true) {
                byte[] buffer = empty.take();
                int length = source.readNBytes(buffer, 0, buffer.length);
                if (length == 0) {
                    break;
                }
                full.put(new Filled(buffer, length, null));
            }
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        } catch (InterruptedException e) {
            failure = new InterruptedIOException("closed");
        }
        full.offer(new Filled(new byte[0], 0, failure));
    }

    @Override
    public int read(byte[] buffer, int from, int count) throws IOException {
        if (count == 0) {
            return 0;
        }
        if (at == current.length && !next()) {
            return -1;
        }
        int got = Math.min(count, current.length - at);
        System.arraycopy(current.bytes, at, buffer, from, got);
        at += got;
        return got;
    }

    private boolean next() throws IOException {
        if (ended) {
            return false;
        }
        if (current.bytes.length > 0) {
            empty.add(current.bytes);
        }
        try {
            current = full.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            current = new Filled(new byte[0], 0, new InterruptedIOException("interrupted"));
        }
        at = 0;
        ended = current.length == 0;
        switch (current.failure) {
            case null -> { }
            case IOException io -> throw io;
            case RuntimeException runtime -> throw runtime;
            case Error error -> throw error;
            default -> throw new IOException(current.failure);
        }
        return !ended;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** Reads to the end without keeping anything. */
    void drain() throws IOException {
        do {
            at = current.length;
        } while (next());
    }

    @Override
    public void close() {
        reader.interrupt();
        boolean interrupted = false;
        while (reader.isAlive()) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
