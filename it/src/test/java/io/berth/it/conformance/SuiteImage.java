package io.berth.it.conformance;

import io.berth.base.Digest;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.image.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * An image to push: its layers as tar files, and what its configuration says.
 *
 * @param layers uncompressed, the lowest first
 * @param settings the JSON members of {@code config}, without braces
 */
record SuiteImage(List<byte[]> layers, String settings) {

    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

    static final String ACCOUNTS = """
            root:x:0:0:root:/root:/bin/sh
            sailor:x:1001:1001:sailor:/home/sailor:/bin/sh
            mate:x:1002:100:mate:/home/mate:/bin/sh
            nobody:x:65534:65534:nobody:/:/bin/sh
            """;
    private static final String GROUPS = """
            root:x:0:
            users:x:100:
            sailor:x:1001:
            crew:x:50000:sailor
            deck:x:50001:sailor,mate
            nogroup:x:65534:
            """;

    byte[] config() {
        return """
                {"created":"2026-01-01T00:00:00Z","architecture":"%s","os":"linux","config":{%s},\
                "rootfs":{"type":"layers","diff_ids":[%s]}}""".formatted(Platform.host().architecture(), settings,
                layers.stream().map(layer -> "\"" + Digest.ofBytes(layer) + "\"").collect(Collectors.joining(",")))
                .getBytes(StandardCharsets.UTF_8);
    }

    /** The id of the image: the digest of its configuration. */
    Digest id() {
        return Digest.ofBytes(config());
    }

    byte[] manifest() {
        byte[] config = config();
        return """
                {"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"%s","size":%d},"layers":[%s]}"""
                .formatted(MANIFEST, CONFIG, Digest.ofBytes(config), config.length, layers.stream()
                        .map(layer -> "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
                                .formatted(LAYER, Digest.ofBytes(layer), layer.length)).collect(Collectors.joining(",")))
                .getBytes(StandardCharsets.UTF_8);
    }

    Digest digest() {
        return Digest.ofBytes(manifest());
    }

    List<byte[]> blobs() {
        return Stream.concat(layers.stream(), Stream.of(config())).toList();
    }

    /** The layer with this node's busybox. */
    static byte[] busyboxLayer(Path scratch) throws IOException {
        BusyboxImage.write(scratch, "a page for tests\n");
        try (Stream<Path> blobs = Files.list(scratch.resolve("blobs/sha256"))) {
            // The layer is by far the largest of the three.
            Optional<Path> largest = blobs.max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()));
            return Files.readAllBytes(largest.orElseThrow());
        }
    }

    /** Accounts, and directories that a container may be started in. */
    static byte[] accountsLayer() throws IOException {
        return tar(Map.of("etc/passwd", ACCOUNTS, "etc/group", GROUPS, "desk/here", "here\n", "volume/seed", "seed\n"), Map.of());
    }

    /** What a volume is made of: files, and links that lead out of it. */
    static byte[] volumeLayer() throws IOException {
        return tar(Map.of("readme", "a volume\n", "data/file", "a file\n", "data/deep/down", "deep down\n"),
                Map.of("inner", "data/deep", "outer", "../../../../../../etc"));
    }

    private static byte[] tar(Map<String, String> files, Map<String, String> links) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
            for (Map.Entry<String, String> file : new TreeMap<>(files).entrySet()) {
                byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
                entry.setMode(0644);
                entry.setModTime(0);
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
            for (Map.Entry<String, String> link : new TreeMap<>(links).entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(link.getKey(), TarConstants.LF_SYMLINK);
                entry.setLinkName(link.getValue());
                entry.setModTime(0);
                tar.putArchiveEntry(entry);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }
}
