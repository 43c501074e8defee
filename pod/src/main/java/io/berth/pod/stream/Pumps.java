package io.berth.pod.stream;

import io.berth.linux.Fd;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that carry bytes between a client's streams and descriptors. Reading a descriptor waits in the kernel, so it has a
 * platform thread; reading a client's stream waits in the JVM, so a virtual thread will do.
 */
final class Pumps {

    private static final Logger LOG = LoggerFactory.getLogger(Pumps.class);
    private static final int BUFFER_BYTES = 32 * 1024;
    private static final int STACK_BYTES = 192 * 1024;

    private Pumps() {}

    /** Carries what {@code from} gives to the client until its end. A client that has gone does not stop the reading. */
    static Thread toClient(Fd from, OutputStream client) {
        return Thread.ofPlatform().name("to-client").daemon().stackSize(STACK_BYTES).start(() -> {
            try {
                copy(from, client);
            } catch (IllegalStateException closed) {
                LOG.atDebug().log("output given up: the process has ended, a child of it still holds the pipe");
            }
        });
    }

    private static void copy(Fd from, OutputStream client) {
        byte[] buffer = new byte[BUFFER_BYTES];
        OutputStream target = client;
        int count = from.read(buffer, 0, buffer.length);
        while (count >= 0) {
            try {
                target.write(buffer, 0, count);
                target.flush();
            } catch (IOException gone) {
                // The process must not block on a full pipe because nobody looks at its output any more.
                target = OutputStream.nullOutputStream();
            }
            count = from.read(buffer, 0, buffer.length);
        }
    }

    /** Gets what a client types. */
    interface Sink {
        void write(byte[] bytes, int count);

        /** The client has ended its input. */
        void end();
    }

    /** Carries what the client types to {@code sink} until its end or until the sink refuses. */
    static Thread fromClient(InputStream client, Sink sink) {
        return Thread.ofVirtual().name("from-client").start(() -> {
            byte[] buffer = new byte[BUFFER_BYTES];
            try {
                int count = client.read(buffer);
                while (count >= 0) {
                    sink.write(buffer, count);
                    count = client.read(buffer);
                }
            } catch (IOException | RuntimeException ended) {
                LOG.atDebug().addKeyValue("reason", ended.getMessage()).log("input ended");
            } finally {
                sink.end();
            }
        });
    }

    static void join(Thread thread, Duration limit) {
        try {
            thread.join(limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
