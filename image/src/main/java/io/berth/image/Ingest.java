package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Map;
import java.util.TreeMap;

/**
 * A blob that is being written. It is hashed while it is written; {@link #commit()} verifies size and digest, waits
 * for the disk and puts it into the store. What was written stays for a later writer to continue, also after a restart,
 * unless it turned out to be wrong.
 *
 * <p>Bytes come in their order ({@link #write}) or as pieces from several threads ({@link #writeAt}, {@link #arrived});
 * what is whole from the start on is the {@link #offset}, and {@link #follow} reads that part while it grows. Opened and
 * closed on one thread.
 */
public final class Ingest implements AutoCloseable {

    private static final int BUFFER = 128 * 1024;

    private final ContentStore store;
    private final Digest blob;
    private final long sizeBytes;
    private final KeyedLocks<Digest>.Held lock;
    private final boolean present;
    private final Path partial;
    private final Path mark;
    private final FileChannel out;
    private final Map<Long, Long> pieces = new TreeMap<>();
    private final BlobGrowth growth;
    private MessageDigest hash;
    private long written;
    private boolean marked;
    private boolean verified;
    private boolean settled;

    Ingest(ContentStore store, Digest blob, long sizeBytes, KeyedLocks<Digest>.Held lock) throws IOException {
        this.store = store;
        this.blob = blob;
        this.sizeBytes = sizeBytes;
        this.lock = lock;
        this.hash = Digest.newHash(blob.algorithm());
        this.partial = store.ingestDirectory().resolve(blob.algorithm() + "-" + blob.hex());
        this.mark = partial.resolveSibling(partial.getFileName() + ".whole");
        this.growth = new BlobGrowth(partial, sizeBytes);
        this.present = store.has(blob);
        if (present) {
            this.out = null;
            this.settled = true;
            return;
        }
        this.out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ);
        try {
            continueFromPartial();
        } catch (IOException | RuntimeException e) {
            out.close();
            throw e;
        }
    }

    private void continueFromPartial() throws IOException {
        if (Files.exists(mark)) {
            // Pieces were written out of order when the writer ended: only so much was whole.
            String whole = Files.readString(mark).strip();
            out.truncate(whole.matches("\\d{1,18}") ? Long.parseLong(whole) : 0);
            Files.delete(mark);
        }
        if (out.size() > sizeBytes) {
            restart();
            return;
        }
        hash(out.size());
        out.position(written);
    }

    // Reads back what is in the file already; it comes from the page cache.
    private void hash(long end) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER, Math.max(1, end - written)));
        while (written < end) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - written));
            int count = out.read(buffer, written);
            if (count <= 0) {
                throw new IOException("the partial file has become shorter");
            }
            hash.update(buffer.array(), 0, count);
            written += count;
        }
        growth.reached(written);
    }

    /** Whether the blob was in the store already: there is nothing to write. */
    public boolean present() {
        return present;
    }

    /** Bytes that are whole from the start on: where to continue. */
    public synchronized long offset() {
        return written;
    }

    /** What is written so far and how it grows, to be read by other threads. */
    BlobGrowth growth() {
        return growth;
    }

    /** Appends; more bytes than the blob has are refused with kind DATA_LOSS. */
    public synchronized void write(byte[] bytes, int from, int count) {
        if (written + count > sizeBytes) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch blob " + blob
                    + ": more bytes came than the " + sizeBytes + " that the manifest says");
        }
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, count);
            while (buffer.hasRemaining()) {
                out.write(buffer, written + buffer.position() - from);
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
        hash.update(bytes, from, count);
        written += count;
        growth.reached(written);
    }

    /** Writes a part of a piece; counts as soon as {@link #arrived} has said so of the whole piece. Any thread. */
    void writeAt(long position, byte[] bytes, int from, int count) {
        if (position < 0 || position + count > sizeBytes) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch blob " + blob
                    + ": more bytes came than the " + sizeBytes + " that the manifest says");
        }
        try {
            synchronized (this) {
                if (!marked) {
                    marked = true;
                    mark();
                }
            }
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, count);
            while (buffer.hasRemaining()) {
                out.write(buffer, position + buffer.position() - from);
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
    }

    /** The piece between the two offsets is written. Any thread. */
    synchronized void arrived(long from, long end) {
        pieces.merge(from, end, Math::max);
        try {
            long before = written;
            for (Long next = pieces.remove(written); next != null; next = pieces.remove(written)) {
                hash(next);
            }
            if (written > before) {
                mark();
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
    }

    private void mark() throws IOException {
        Path beside = mark.resolveSibling(mark.getFileName() + ".new");
        Files.write(beside, Long.toString(written).getBytes(StandardCharsets.US_ASCII));
        Files.move(beside, mark, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Throws away what was written and begins anew. No other thread may be writing. */
    public synchronized void restart() {
        try {
            growth.restarted();
            out.truncate(0);
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
        hash = Digest.newHash(blob.algorithm());
        pieces.clear();
        verified = false;
        written = 0;
    }

    /** Checks size and digest of what was written; the verdict is kept, as a hash can be finished once only. */
    synchronized void verify() {
        if (written != sizeBytes) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch blob " + blob + ": " + written
                    + " bytes came, the manifest says " + sizeBytes);
        }
        if (!verified) {
            Digest found = Digest.ofHash(blob.algorithm(), hash.digest());
            if (!found.equals(blob)) {
                throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch blob " + blob + ": the bytes have digest "
                        + found + ": the registry's copy is damaged or was tampered with");
            }
            verified = true;
        }
    }

    /** Puts the blob into the store; wrong bytes are thrown away and reported with kind DATA_LOSS. */
    public void commit() {
        try {
            verify();
        } catch (RuntimeFault wrong) {
            discard();
            throw wrong;
        }
        try {
            out.force(true);
            Path place = store.path(blob);
            Files.createDirectories(place.getParent());
            Files.move(partial, place, StandardCopyOption.ATOMIC_MOVE);
            ContentStore.syncDirectory(place.getParent());
            Files.deleteIfExists(mark);
            settled = true;
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
    }

    /** Throws away what was written. */
    public void discard() {
        settled = true;
        try {
            Files.deleteIfExists(partial);
            Files.deleteIfExists(mark);
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
    }

    @Override
    public void close() {
        growth.ended();
        try {
            if (out != null) {
                // An interrupt has closed the channel: then the mark stays and tells the next writer the same.
                if (!settled && marked && out.isOpen()) {
                    out.truncate(written);
                    Files.deleteIfExists(mark);
                }
                out.close();
            }
            if (!settled && written == 0) {
                Files.deleteIfExists(partial);
                Files.deleteIfExists(mark);
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        } finally {
            lock.close();
        }
    }
}
