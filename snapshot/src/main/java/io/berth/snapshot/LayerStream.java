package io.berth.snapshot;

import com.github.luben.zstd.ZstdInputStream;
import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;

/**
 * The uncompressed bytes of a layer, hashed and counted as they are read. Compression is told by the first bytes, as
 * docker and containerd do, because media types are often wrong. A bomb fails with kind RESOURCE_EXHAUSTED. Used by one
 * thread; does not close what it reads from.
 */
final class LayerStream extends InputStream {

    private static final int BUFFER = 128 * 1024;

    private final Counted compressed;
    private final InputStream in;
    private final UnpackLimits limits;
    private final MessageDigest hash;
    private final String algorithm;
    private final long startedNanos = System.nanoTime();
    private long count;

    LayerStream(InputStream blob, String algorithm, UnpackLimits limits) throws IOException {
        this.compressed = new Counted(blob);
        this.limits = limits;
        this.algorithm = algorithm;
        this.hash = Digest.newHash(algorithm);
        InputStream buffered = new BufferedInputStream(compressed, BUFFER);
        buffered.mark(4);
        byte[] magic = buffered.readNBytes(4);
        buffered.reset();
        if (magic.length >= 2 && (magic[0] & 0xff) == 0x1f && (magic[1] & 0xff) == 0x8b) {
            this.in = new GZIPInputStream(buffered, 64 * 1024);
        } else if (magic.length == 4 && (magic[0] & 0xff) == 0x28 && (magic[1] & 0xff) == 0xb5
                && (magic[2] & 0xff) == 0x2f && (magic[3] & 0xff) == 0xfd) {
            this.in = new ZstdInputStream(buffered);
        } else {
            this.in = buffered;
        }
    }

    @Override
    public int read(byte[] buffer, int from, int length) throws IOException {
        int got = in.read(buffer, from, length);
        if (got > 0) {
            hash.update(buffer, from, got);
            count += got;
            check();
        }
        return got;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** Fails when unpacking takes too long. What the source makes wait is not the layer's fault. */
    void checkTime() {
        if (System.nanoTime() - startedNanos - compressed.waitedNanos > limits.time().toNanos()) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "unpack layer: it takes more than the limit of "
                    + limits.time().toSeconds() + " s");
        }
    }

    private void check() {
        checkTime();
        if (count > limits.bytes()) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED,
                    "unpack layer: more than the limit of " + limits.bytes() + " bytes");
        }
        if (count > limits.ratioFromBytes() && count / Math.max(1, compressed.count) > limits.ratio()) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "unpack layer: it expands more than "
                    + limits.ratio() + " times, which no honest layer does");
        }
    }

    /** The digest of all bytes; call it once, at the end. */
    Digest digest() {
        return Digest.ofHash(algorithm, hash.digest());
    }

    /** Frees the decompressor's native memory. */
    @Override
    public void close() throws IOException {
        in.close();
    }

    private static final class Counted extends FilterInputStream {
        private volatile long waitedNanos;
        private long count;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            long before = System.nanoTime();
            int got = in.read(buffer, from, length);
            count += Math.max(0, got);
            // One thread writes, the other only reads.
            waitedNanos = waitedNanos + System.nanoTime() - before;
            return got;
        }

        // Whether another gzip member follows is judged by this: a stream that waits for the network would say 0.
        @Override
        public int available() throws IOException {
            return Math.max(1, in.available());
        }

        @Override
        public void close() {
            // The blob belongs to the caller.
        }
    }
}
