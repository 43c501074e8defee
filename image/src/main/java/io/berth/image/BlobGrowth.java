package io.berth.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How far a blob that is being written has come, for those who read it at the same time: a layer is unpacked while it is
 * downloaded. The bytes come from the file, so that a slow reader costs no memory. Thread-safe.
 */
final class BlobGrowth {

    private final Path file;
    private final long sizeBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long reached;
    private int restarts;
    private boolean ended;

    BlobGrowth(Path file, long sizeBytes) {
        this.file = file;
        this.sizeBytes = sizeBytes;
    }

    void reached(long offset) {
        lock.lock();
        try {
            reached = offset;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** What was written turned out to be wrong: readers that have had some of it fail. */
    void restarted() {
        lock.lock();
        try {
            reached = 0;
            restarts++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The writer has gone; readers get what is there and fail where more was to come. */
    void ended() {
        lock.lock();
        try {
            ended = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Opens the blob from its start; reads wait for the writer. To be opened while it writes; the caller closes it. */
    InputStream open() throws IOException {
        return new Follower(FileChannel.open(file, StandardOpenOption.READ));
    }

    private final class Follower extends InputStream {
        private final FileChannel in;
        private final int begun;
        private long at;

        Follower(FileChannel in) {
            this.in = in;
            lock.lock();
            try {
                this.begun = restarts;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int read(byte[] buffer, int from, int count) throws IOException {
            if (at == sizeBytes) {
                return -1;
            }
            long there = await();
            // A closed channel would be the end for a thread that is interrupted while it reads; the wait above is not.
            int got = in.read(ByteBuffer.wrap(buffer, from, (int) Math.min(count, there - at)), at);
            if (got <= 0) {
                throw new IOException("the partial blob has become shorter");
            }
            at += got;
            return got;
        }

        private long await() throws IOException {
            lock.lock();
            try {
                while (reached <= at && restarts == begun && !ended) {
                    changed.await(1, TimeUnit.MINUTES);
                }
                if (restarts != begun || reached <= at) {
                    throw new IOException("the download was given up or began anew");
                }
                return reached;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
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
        public void close() throws IOException {
            in.close();
        }
    }
}
