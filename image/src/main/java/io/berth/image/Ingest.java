package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * A blob that is being written. It is hashed while it is written; {@link #commit()} verifies size and digest, waits
 * for the disk and puts it into the store. What was written stays for a later writer to continue, also after a restart,
 * unless it turned out to be wrong. Used and closed by one thread.
 */
public final class Ingest implements AutoCloseable {

    private final ContentStore store;
    private final Digest blob;
    private final long sizeBytes;
    private final KeyedLocks<Digest>.Held lock;
    private final boolean present;
    private final Path partial;
    private final FileChannel out;
    private MessageDigest hash;
    private long written;
    private boolean verified;
    private boolean settled;

    Ingest(ContentStore store, Digest blob, long sizeBytes, KeyedLocks<Digest>.Held lock) throws IOException {
        this.store = store;
        this.blob = blob;
        this.sizeBytes = sizeBytes;
        this.lock = lock;
        this.hash = Digest.newHash(blob.algorithm());
        this.partial = store.ingestDirectory().resolve(blob.algorithm() + "-" + blob.hex());
        this.present = store.has(blob);
        if (present) {
            this.out = null;
            this.settled = true;
            return;
        }
        this.out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            continueFromPartial();
        } catch (IOException | RuntimeException e) {
            out.close();
            throw e;
        }
    }

    private void continueFromPartial() throws IOException {
        long there = out.size();
        if (there > sizeBytes) {
            restart();
            return;
        }
        try (InputStream in = Files.newInputStream(partial)) {
            byte[] buffer = new byte[128 * 1024];
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                hash.update(buffer, 0, count);
                written += count;
            }
        }
        out.position(written);
    }

    /** Whether the blob was in the store already: there is nothing to write. */
    public boolean present() {
        return present;
    }

    /** Bytes written so far: where to continue. */
    public long offset() {
        return written;
    }

    /** Appends; more bytes than the blob has are refused with kind DATA_LOSS. */
    public void write(byte[] bytes, int from, int count) {
        if (written + count > sizeBytes) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch blob " + blob
                    + ": more bytes came than the " + sizeBytes + " that the manifest says");
        }
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, from, count);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
        hash.update(bytes, from, count);
        written += count;
    }

    /** Throws away what was written and begins anew. */
    public void restart() {
        try {
            out.truncate(0);
            out.position(0);
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
        hash = Digest.newHash(blob.algorithm());
        verified = false;
        written = 0;
    }

    /** Checks size and digest of what was written; the verdict is kept, as a hash can be finished once only. */
    void verify() {
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
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        }
    }

    @Override
    public void close() {
        try {
            if (out != null) {
                out.close();
            }
            if (!settled && written == 0) {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            throw ContentStore.fault("write blob", blob, e);
        } finally {
            lock.close();
        }
    }
}
