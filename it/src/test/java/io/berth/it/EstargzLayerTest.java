package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.base.Digest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** That a layer for lazy pulls is whole to who reads it by gzip, and in pieces to who reads it by its table. */
class EstargzLayerTest {

    private static final byte[] LARGE = new byte[2 * EstargzLayer.PIECE_BYTES + 700];

    private static EstargzLayer layer() throws IOException {
        new Random(1).nextBytes(LARGE);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            tar.putArchiveEntry(new TarArchiveEntry("dir/"));
            tar.closeArchiveEntry();
            add(tar, "dir/large", LARGE);
            add(tar, "dir/empty", new byte[0]);
            TarArchiveEntry link = new TarArchiveEntry("dir/link", TarConstants.LF_SYMLINK);
            link.setLinkName("large");
            tar.putArchiveEntry(link);
            tar.closeArchiveEntry();
        }
        return EstargzLayer.of(bytes.toByteArray());
    }

    private static void add(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static byte[] gunzip(byte[] blob, int offset) throws IOException {
        return new GZIPInputStream(new ByteArrayInputStream(blob, offset, blob.length - offset)).readAllBytes();
    }

    @Test
    void aReaderByGzipFindsAllFilesAndTheTableAtTheEnd() throws IOException {
        EstargzLayer layer = layer();
        byte[] archive = gunzip(layer.blob(), 0);
        assertEquals(layer.diffId(), Digest.ofBytes(archive));
        List<String> names = new ArrayList<>();
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(archive))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                names.add(entry.getName());
                byte[] content = tar.readAllBytes();
                if (entry.getName().equals("dir/large")) {
                    assertArrayEquals(LARGE, content);
                } else if (entry.getName().equals(EstargzLayer.TOC_NAME)) {
                    assertEquals(layer.toc(), Digest.ofBytes(content));
                }
            }
        }
        assertEquals(List.of(EstargzLayer.NO_PREFETCH, "dir/", "dir/large", "dir/empty", "dir/link",
                EstargzLayer.TOC_NAME), names);
    }

    @Test
    void theFooterTellsWhereTheTableIsAndTheTableWhereEachPieceIs() throws IOException {
        EstargzLayer layer = layer();
        byte[] blob = layer.blob();
        String footer = new String(Arrays.copyOfRange(blob, blob.length - EstargzLayer.FOOTER_BYTES, blob.length),
                StandardCharsets.ISO_8859_1);
        assertEquals("STARGZ", footer.substring(32, 38));
        byte[] end = gunzip(blob, Integer.parseInt(footer.substring(16, 32), 16));
        TarArchiveInputStream tar = new TarArchiveInputStream(new ByteArrayInputStream(end));
        assertEquals(EstargzLayer.TOC_NAME, tar.getNextEntry().getName());
        JsonNode table = JsonMapper.shared().readTree(tar.readAllBytes());
        assertEquals(1, table.get("version").asInt());
        ByteArrayOutputStream large = new ByteArrayOutputStream();
        for (JsonNode line : table.get("entries")) {
            if (line.get("name").asString().equals("dir/large")) {
                int whole = LARGE.length - large.size();
                byte[] piece = Arrays.copyOf(gunzip(blob, line.get("offset").asInt()), line.path("chunkSize").asInt(whole));
                assertEquals(line.get("chunkDigest").asString(), Digest.ofBytes(piece).toString());
                assertEquals(large.size(), line.path("chunkOffset").asInt(0));
                large.writeBytes(piece);
            }
        }
        assertArrayEquals(LARGE, large.toByteArray());
    }
}
