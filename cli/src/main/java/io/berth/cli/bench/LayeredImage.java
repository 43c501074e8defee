package io.berth.cli.bench;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.image.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An image of several gzip layers as an OCI layout, with files from small to large whose content halves when compressed,
 * as programs and libraries about do. The same sizes give the same digests.
 */
final class LayeredImage {

    private static final int[] FILE_BYTES = {700, 3_000, 9_000, 24_000, 60_000, 250_000};
    private static final int CHUNK = 512;

    private LayeredImage() {}

    /** Writes the layout into {@code directory}, tagged {@code bench}; the layers are unpacked {@code layerBytes} each. */
    static void write(Path directory, int layers, int layerBytes) {
        try {
            Files.createDirectories(directory.resolve("blobs/sha256"));
            List<String> diffs = new ArrayList<>();
            List<String> descriptors = new ArrayList<>();
            for (int number = 0; number < layers; number++) {
                byte[] tar = tar(number, layerBytes);
                byte[] packed = gzip(tar);
                diffs.add('"' + Digest.ofBytes(tar).toString() + '"');
                descriptors.add(descriptor("layer.v1.tar+gzip", blob(directory, packed), packed.length));
            }
            byte[] config = """
                    {"architecture":"%s","os":"linux","config":{"Cmd":["sh"]},\
                    "rootfs":{"type":"layers","diff_ids":[%s]}}"""
                    .formatted(Platform.host().architecture(), String.join(",", diffs)).getBytes(StandardCharsets.UTF_8);
            byte[] manifest = """
                    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}"""
                    .formatted(descriptor("config.v1+json", blob(directory, config), config.length),
                            String.join(",", descriptors)).getBytes(StandardCharsets.UTF_8);
            String entry = descriptor("manifest.v1+json", blob(directory, manifest), manifest.length);
            Files.writeString(directory.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":["
                    + entry.replaceFirst("}$", ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"bench\"}}") + "]}");
            Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        } catch (IOException e) {
            throw RuntimeFault.internal("write the bench's image: " + RuntimeFault.reason(e), e);
        }
    }

    private static String descriptor(String type, Digest digest, int bytes) {
        return "{\"mediaType\":\"application/vnd.oci.image.%s\",\"digest\":\"%s\",\"size\":%d}".formatted(type, digest, bytes);
    }

    private static Digest blob(Path directory, byte[] content) throws IOException {
        Digest digest = Digest.ofBytes(content);
        Files.write(directory.resolve("blobs/sha256").resolve(digest.hex()), content);
        return digest;
    }

    private static byte[] tar(int number, int layerBytes) throws IOException {
        Random random = new Random(number);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(layerBytes + (1 << 20));
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
            int files = 0;
            for (int written = 0; written < layerBytes; files++) {
                byte[] content = content(random, FILE_BYTES[random.nextInt(FILE_BYTES.length)]);
                TarArchiveEntry entry = new TarArchiveEntry("usr/layer" + number + "/" + files / 100 + "/file" + files);
                entry.setSize(content.length);
                entry.setModTime(0);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
                written += content.length;
            }
        }
        return bytes.toByteArray();
    }

    // Noise and repetition in turn.
    private static byte[] content(Random random, int size) {
        byte[] content = new byte[size];
        random.nextBytes(content);
        for (int at = CHUNK; at + CHUNK <= size; at += 2 * CHUNK) {
            System.arraycopy(content, at - CHUNK, content, at, CHUNK);
        }
        return content;
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(content.length / 2);
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed, 64 * 1024)) {
            gzip.write(content);
        }
        return packed.toByteArray();
    }
}
