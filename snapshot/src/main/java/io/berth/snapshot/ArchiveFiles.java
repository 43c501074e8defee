package io.berth.snapshot;

import com.github.luben.zstd.ZstdIOException;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.ZipException;

/**
 * Reads the files of a tar archive from hostile bytes, compressed or not. An archive with anything in it but files and
 * directories is refused; nothing is written here. Stateless, thread-safe.
 */
public final class ArchiveFiles {

    /** Takes one file after the other. */
    @FunctionalInterface
    public interface Visitor {

        /**
         * A file of the archive.
         *
         * @param name as the archive has it: nothing is checked, it may lead anywhere
         * @param content to be read during the call; what is left of it is skipped
         */
        void file(String name, long sizeBytes, InputStream content) throws IOException;
    }

    private ArchiveFiles() {}

    /**
     * Reads all.
     *
     * @param archive not closed
     * @throws RuntimeFault DATA_LOSS for a malformed archive, RESOURCE_EXHAUSTED for a bomb, UNSUPPORTED for other entries
     */
    public static void read(InputStream archive, UnpackLimits limits, Visitor visitor) {
        try (LayerStream plain = new LayerStream(archive, "sha256", limits)) {
            TarReader tar = new TarReader(plain, limits);
            long entries = 0;
            for (Optional<TarEntry> entry = tar.next(); entry.isPresent(); entry = tar.next()) {
                if (++entries > limits.entries()) {
                    throw new RuntimeFault(Kind.RESOURCE_EXHAUSTED,
                            "read archive: more than the limit of " + limits.entries() + " entries");
                }
                visit(entry.get(), tar, visitor);
            }
        } catch (ZipException | EOFException | ZstdIOException e) {
            throw new RuntimeFault(Kind.DATA_LOSS, "read archive: the compressed data is damaged: " + RuntimeFault.reason(e), e);
        } catch (IOException e) {
            throw RuntimeFault.internal("read archive: " + RuntimeFault.reason(e), e);
        }
    }

    private static void visit(TarEntry entry, TarReader tar, Visitor visitor) throws IOException {
        if (entry.type() == TarReader.DIRECTORY) {
            return;
        }
        if (entry.type() != TarReader.REGULAR || entry.sparse().isPresent()) {
            throw RuntimeFault.unsupported("read archive: the entry \"" + shown(entry.name())
                    + "\" is no plain file: links, devices and files with holes are refused");
        }
        visitor.file(new String(entry.name(), StandardCharsets.UTF_8), entry.sizeBytes(), new Content(tar));
    }

    private static String shown(byte[] name) {
        String text = new String(name, StandardCharsets.ISO_8859_1).replaceAll("[^\\x20-\\x7e]", "?");
        return text.length() > 200 ? text.substring(0, 200) + "…" : text;
    }

    private static final class Content extends InputStream {

        private final TarReader tar;
        private final byte[] buffer = new byte[64 * 1024];

        Content(TarReader tar) {
            this.tar = tar;
        }

        @Override
        public int read() throws IOException {
            return tar.read(buffer, 1) < 0 ? -1 : buffer[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int from, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            int count = tar.read(buffer, Math.min(length, buffer.length));
            if (count > 0) {
                System.arraycopy(buffer, 0, target, from, count);
            }
            return count;
        }
    }
}
