package io.berth.image;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Brings one blob into the content store. A broken connection is resumed where it broke; two pulls that want the same
 * blob share one download, because the store lets one of them write. Thread-safe.
 */
final class FetchBlob {

    static final int CHUNK = 128 * 1024;
    private static final long PIECES_FROM = 32L << 20;

    private final ContentStore content;
    private final RegistrySource source;
    private final PullOptions options;
    private final PullListener listener;

    FetchBlob(ContentStore content, RegistrySource source, PullOptions options, PullListener listener) {
        this.content = content;
        this.source = source;
        this.options = options;
        this.listener = listener;
    }

    void fetch(Descriptor blob) {
        fetch(blob, growth -> { });
    }

    /**
     * Brings the blob, unless the store has it.
     *
     * @param begun told before the first byte is written, when there is something to write: what grows from now on
     */
    void fetch(Descriptor blob, Consumer<BlobGrowth> begun) {
        if (blob.sizeBytes() > options.layerSizeLimit()) {
            throw new RuntimeFault(Kind.RESOURCE_EXHAUSTED, "pull image " + source.reference() + ": blob " + blob.digest()
                    + " has " + blob.sizeBytes() + " bytes, more than the limit of " + options.layerSizeLimit());
        }
        try (Ingest ingest = listener.local(() -> content.ingest(blob.digest(), blob.sizeBytes()))) {
            if (ingest.present()) {
                listener.present(blob.digest(), blob.sizeBytes());
                return;
            }
            begun.accept(ingest.growth());
            source.first(Endpoint::pulls, session -> {
                fromOne(session, blob, ingest);
                return blob;
            });
        }
    }

    private void fromOne(RegistrySession session, Descriptor blob, Ingest ingest) {
        boolean resumed = ingest.offset() > 0;
        try {
            download(session, blob, ingest);
        } catch (RuntimeFault fault) {
            if (fault.kind() != Kind.DATA_LOSS) {
                throw fault;
            }
            ingest.restart();
            if (!resumed) {
                throw fault;
            }
            // What an earlier attempt left may be what was damaged: once more from the start.
            download(session, blob, ingest);
        }
        listener.local(() -> {
            ingest.commit();
            return blob;
        });
    }

    private void download(RegistrySession session, Descriptor blob, Ingest ingest) {
        int failures = 0;
        Duration backoff = options.firstBackoff();
        while (true) {
            long before = ingest.offset();
            try {
                transfer(session, blob, ingest);
                ingest.verify();
                return;
            } catch (RegistryFault fault) {
                boolean moved = ingest.offset() > before;
                failures = moved ? 1 : failures + 1;
                backoff = moved ? options.firstBackoff() : backoff.multipliedBy(2);
                if (!fault.isPassing() || failures >= fault.attempts(options.attempts())) {
                    throw fault;
                }
                listener.retry("blob " + blob.digest(), fault.getMessage());
                Retry.pause(options, fault, backoff);
            }
        }
    }

    private void transfer(RegistrySession session, Descriptor blob, Ingest ingest) {
        long left = blob.sizeBytes() - ingest.offset();
        if (left == 0) {
            return;
        }
        if (left >= PIECES_FROM && options.rangesPerBlob() > 1
                && new FetchPieces(session, blob, ingest, this).run(options.rangesPerBlob())) {
            return;
        }
        try (RegistrySession.Answer answer = session.blob(blob, ingest.offset())) {
            if (ingest.offset() > 0 && !continues(answer, ingest.offset())) {
                ingest.restart();
                if (answer.status() == 206) {
                    throw broke(session, blob, "it answered with another range than asked for", null);
                }
            }
            InputStream body = answer.body();
            byte[] chunk = new byte[CHUNK];
            for (int count = read(body, chunk, session, blob); count >= 0; count = read(body, chunk, session, blob)) {
                ingest.write(chunk, 0, count);
                listener.received(count);
                listener.progress(blob.digest(), ingest.offset(), blob.sizeBytes());
            }
        } catch (IOException e) {
            throw broke(session, blob, RuntimeFault.reason(e), e);
        }
        if (ingest.offset() < blob.sizeBytes()) {
            throw broke(session, blob, "it ended after " + ingest.offset() + " of " + blob.sizeBytes() + " bytes", null);
        }
    }

    void moved(Descriptor blob, int count, long done) {
        listener.received(count);
        listener.progress(blob.digest(), done, blob.sizeBytes());
    }

    int read(InputStream body, byte[] chunk, RegistrySession session, Descriptor blob) {
        try {
            return body.read(chunk);
        } catch (IOException e) {
            throw broke(session, blob, RuntimeFault.reason(e), e);
        }
    }

    RegistryFault broke(RegistrySession session, Descriptor blob, String reason, Throwable cause) {
        if (Thread.currentThread().isInterrupted()) {
            return RegistryFault.lasting(Kind.CANCELLED, "pull image " + source.reference() + ": cancelled", cause);
        }
        return RegistryFault.passing(Kind.UNAVAILABLE, "pull image " + source.reference() + ": blob " + blob.digest()
                + " from " + session.endpoint() + ": connection broke: " + reason, cause, Optional.empty());
    }

    private static boolean continues(RegistrySession.Answer answer, long offset) {
        return answer.status() == 206 && answer.header("Content-Range").matches("bytes " + offset + "-\\d+/(\\d+|\\*)");
    }
}
