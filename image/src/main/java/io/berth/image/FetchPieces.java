package io.berth.image;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Brings a large blob in pieces over several connections, the front pieces first, so that what is whole from the start on
 * grows steadily. Used once, by one thread, which waits for those that it starts. Source: RFC 9110, "Range Requests".
 */
final class FetchPieces {

    private static final long PIECE = 8L << 20;

    private final RegistrySession session;
    private final Descriptor blob;
    private final Ingest ingest;
    private final FetchBlob fetch;
    private final AtomicLong next;
    private final AtomicLong done;
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();
    private final AtomicBoolean ignoresRanges = new AtomicBoolean();
    private final List<Thread> others = new ArrayList<>();

    FetchPieces(RegistrySession session, Descriptor blob, Ingest ingest, FetchBlob fetch) {
        this.session = session;
        this.blob = blob;
        this.ingest = ingest;
        this.fetch = fetch;
        this.next = new AtomicLong(ingest.offset());
        this.done = new AtomicLong(ingest.offset());
    }

    /** Returns false, with nothing written, when the server does not give parts of a blob. */
    boolean run(int connections) {
        try {
            // The first answer tells whether the server can do it: only then are the others begun.
            pieces(() -> begin(connections - 1));
        } finally {
            await();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
        return !ignoresRanges.get();
    }

    private void begin(int count) {
        while (others.size() < count && next.get() < blob.sizeBytes()) {
            others.add(Thread.ofVirtual().name("blob-piece").start(() -> pieces(() -> { })));
        }
    }

    private void pieces(Runnable accepted) {
        try {
            for (long from = take(); from < blob.sizeBytes() && failure.get() == null; from = take()) {
                piece(from, Math.min(from + PIECE, blob.sizeBytes()), accepted);
                if (ignoresRanges.get()) {
                    return;
                }
            }
        } catch (RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }

    private long take() {
        return next.getAndAdd(PIECE);
    }

    private void piece(long from, long end, Runnable accepted) {
        try (RegistrySession.Answer answer = session.piece(blob, from, end)) {
            if (answer.status() != 206) {
                ignoresRanges.set(true);
                return;
            }
            if (!answer.header("Content-Range").matches("bytes " + from + "-" + (end - 1) + "/(\\d+|\\*)")) {
                throw fetch.broke(session, blob, "it answered with another range than asked for", null);
            }
            accepted.run();
            byte[] chunk = new byte[FetchBlob.CHUNK];
            long at = from;
            for (int count = fetch.read(answer.body(), chunk, session, blob); count >= 0;
                    count = fetch.read(answer.body(), chunk, session, blob)) {
                if (at + count > end) {
                    throw fetch.broke(session, blob, "it answered with more than asked for", null);
                }
                ingest.writeAt(at, chunk, 0, count);
                at += count;
                fetch.moved(blob, count, done.addAndGet(count));
                if (failure.get() != null) {
                    return;
                }
            }
            if (at < end) {
                throw fetch.broke(session, blob, "it ended after " + at + " of " + blob.sizeBytes() + " bytes", null);
            }
            ingest.arrived(from, end);
        } catch (IOException e) {
            throw fetch.broke(session, blob, RuntimeFault.reason(e), e);
        }
    }

    private void await() {
        boolean interrupted = false;
        for (Thread other : others) {
            while (other.isAlive()) {
                try {
                    if (interrupted) {
                        other.interrupt();
                    }
                    other.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
            failure.compareAndSet(null, new RuntimeFault(RuntimeFault.Kind.CANCELLED, "fetch blob " + blob.digest()
                    + ": cancelled"));
        }
    }
}
