package io.berth.it;

import io.berth.base.Digest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * A layer that can be read lazily, as the stargz snapshotter reads it: a tar archive of gzip members, one for each
 * piece of a file, and at its end a table of what is where. To any other reader it is a layer by gzip. Source: the
 * description of the format, docs/estargz.md in containerd's stargz-snapshotter.
 *
 * @param blob the layer as it is in a registry
 * @param diffId of the archive within
 * @param toc of the table: what the layer's descriptor says in {@link #TOC_ANNOTATION}
 */
record EstargzLayer(byte[] blob, Digest diffId, Digest toc) {

    static final String TOC_ANNOTATION = "containerd.io/snapshot/stargz/toc.digest";
    /** Says that no file is to be fetched before it is asked for. */
    static final String NO_PREFETCH = ".no.prefetch.landmark";
    static final String TOC_NAME = "stargz.index.json";
    static final int FOOTER_BYTES = 51;
    /** A file above this is several pieces. */
    static final int PIECE_BYTES = 1 << 20;

    private static final int RECORD = 512;
    private static final int NAME_LIMIT = 100;

    /** The same files as in {@code tar}, an archive without extended headers. */
    static EstargzLayer of(byte[] tar) throws IOException {
        return new Writer().write(tar);
    }

    Digest digest() {
        return Digest.ofBytes(blob);
    }

    /** Writes one layer. */
    private static final class Writer {

        private final ByteArrayOutputStream blob = new ByteArrayOutputStream();
        private final MessageDigest archive = Digest.newHash("sha256");
        /** What comes before the next file's content: headers, links, directories. */
        private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
        private final List<Map<String, Object>> table = new ArrayList<>();

        EstargzLayer write(byte[] tar) throws IOException {
            TarArchiveEntry landmark = new TarArchiveEntry(NO_PREFETCH);
            landmark.setModTime(0);
            landmark.setMode(0644);
            landmark.setSize(1);
            add(landmark, new byte[] {0xf});
            try (TarArchiveInputStream entries = new TarArchiveInputStream(new ByteArrayInputStream(tar))) {
                for (TarArchiveEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
                    add(entry, entries.readAllBytes());
                }
            }
            flush();
            long tableOffset = blob.size();
            byte[] json = JsonMapper.shared().writeValueAsBytes(Map.of("version", 1, "entries", table));
            TarArchiveEntry entry = new TarArchiveEntry(TOC_NAME);
            entry.setModTime(0);
            entry.setSize(json.length);
            pending.write(header(entry));
            pending.write(padded(json));
            pending.write(new byte[2 * RECORD]);
            flush();
            blob.write(footer(tableOffset));
            return new EstargzLayer(blob.toByteArray(), Digest.ofHash("sha256", archive.digest()), Digest.ofBytes(json));
        }

        private void add(TarArchiveEntry entry, byte[] content) throws IOException {
            if (entry.getName().getBytes(StandardCharsets.UTF_8).length > NAME_LIMIT) {
                throw new IOException("the name is too long for a plain header: " + entry.getName());
            }
            pending.write(header(entry));
            Map<String, Object> line = line(entry);
            table.add(line);
            if (content.length == 0) {
                return;
            }
            flush();
            line.put("size", content.length);
            line.put("digest", Digest.ofBytes(content).toString());
            for (int start = 0; start < content.length; start += PIECE_BYTES) {
                boolean last = start + PIECE_BYTES >= content.length;
                byte[] piece = Arrays.copyOfRange(content, start, last ? content.length : start + PIECE_BYTES);
                Map<String, Object> target = line;
                if (start > 0) {
                    target = new LinkedHashMap<>(Map.of("name", entry.getName(), "type", "chunk", "chunkOffset", start));
                    table.add(target);
                }
                target.put("offset", blob.size());
                target.put("chunkDigest", Digest.ofBytes(piece).toString());
                if (!last) {
                    target.put("chunkSize", piece.length);
                }
                member(last ? padded(piece, content.length) : piece);
            }
        }

        private static Map<String, Object> line(TarArchiveEntry entry) throws IOException {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("name", entry.getName());
            line.put("type", type(entry));
            Instant modified = Instant.ofEpochMilli(entry.getModTime().getTime());
            line.put("modtime", modified.truncatedTo(ChronoUnit.SECONDS).toString());
            line.put("mode", entry.getMode() & 07777);
            line.put("uid", entry.getLongUserId());
            line.put("gid", entry.getLongGroupId());
            if (entry.isLink() || entry.isSymbolicLink()) {
                line.put("linkName", entry.getLinkName());
            }
            return line;
        }

        private static String type(TarArchiveEntry entry) throws IOException {
            if (entry.isDirectory()) {
                return "dir";
            } else if (entry.isSymbolicLink()) {
                return "symlink";
            } else if (entry.isLink()) {
                return "hardlink";
            } else if (entry.isFile()) {
                return "reg";
            }
            throw new IOException("neither file, directory nor link: " + entry.getName());
        }

        private static byte[] header(TarArchiveEntry entry) {
            byte[] header = new byte[RECORD];
            entry.writeEntryHeader(header);
            return header;
        }

        private static byte[] padded(byte[] content) {
            return padded(content, content.length);
        }

        /** The last piece of a file of {@code size} bytes, and zeros to the next record. */
        private static byte[] padded(byte[] piece, int size) {
            return Arrays.copyOf(piece, piece.length + (RECORD - size % RECORD) % RECORD);
        }

        private void flush() throws IOException {
            if (pending.size() > 0) {
                member(pending.toByteArray());
                pending.reset();
            }
        }

        private void member(byte[] content) throws IOException {
            archive.update(content);
            try (GZIPOutputStream gzip = new GZIPOutputStream(blob)) {
                gzip.write(content);
            }
        }

        /** An empty member, whose extra field tells where the table begins. Source: RFC 1952 for its parts. */
        private static byte[] footer(long tableOffset) {
            String field = "%016xSTARGZ".formatted(tableOffset);
            ByteArrayOutputStream footer = new ByteArrayOutputStream(FOOTER_BYTES);
            footer.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 4, 0, 0, 0, 0, 0, (byte) 0xff});
            footer.writeBytes(new byte[] {(byte) (field.length() + 4), 0, 'S', 'G', (byte) field.length(), 0});
            footer.writeBytes(field.getBytes(StandardCharsets.US_ASCII));
            footer.writeBytes(new byte[] {1, 0, 0, (byte) 0xff, (byte) 0xff});
            // Checksum and length of nothing.
            footer.writeBytes(new byte[8]);
            return footer.toByteArray();
        }
    }
}
