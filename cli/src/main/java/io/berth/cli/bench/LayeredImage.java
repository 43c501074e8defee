package io.berth.cli.bench;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.image.Platform;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Images of gzip layers as OCI layouts, with files whose content halves when compressed, as programs and libraries about
 * do. Variants of one shape differ in the last file of each layer only, and so in all digests: what a variant takes to be
 * pulled does not depend on the others. The same shape and number give the same digests.
 */
final class LayeredImage {

    /** How many layers, how many files in each, and the sizes that files have, in turn by chance. */
    record Shape(int layers, int files, List<Integer> fileBytes) {}

    /** Files from small to large: 300 MB, 150 MB compressed. */
    static final Shape SIX_LAYERS = new Shape(6, 865, List.of(700, 3_000, 9_000, 24_000, 60_000, 250_000));
    /** One layer, 150 MB of 72 MB compressed, of such files as packages of interpreted languages have. */
    static final Shape MANY_FILES = new Shape(1, 100_000, List.of(100, 400, 900, 1_800, 4_000));

    private static final int CHUNK = 512;

    /** What the variants have in common of one layer: a whole gzip member, and the hashes up to its end. */
    private record Common(Path member, MessageDigest plain, MessageDigest packed) {}

    private final Path directory;
    private final List<Common> common = new ArrayList<>();

    /** @param directory for this object's files, which must be there */
    LayeredImage(Path directory, Shape shape) {
        this.directory = directory;
        for (int number = 0; number < shape.layers; number++) {
            try {
                common.add(common(number, shape));
            } catch (IOException e) {
                throw fault(e);
            }
        }
    }

    private Common common(int number, Shape shape) throws IOException {
        Random random = new Random(number);
        Path member = directory.resolve("member" + number);
        MessageDigest plain = Digest.newHash("sha256");
        MessageDigest packed = Digest.newHash("sha256");
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(member), 1 << 16)) {
            GZIPOutputStream gzip = new GZIPOutputStream(new DigestOutputStream(out, packed), 1 << 16);
            // Not closed: the archive's end belongs to the variant.
            TarArchiveOutputStream tar = new TarArchiveOutputStream(new DigestOutputStream(gzip, plain), "UTF-8");
            for (int made = 0; made < shape.files; made++) {
                put(tar, "usr/layer" + number + "/" + made / 100 + "/file" + made,
                        content(random, shape.fileBytes.get(random.nextInt(shape.fileBytes.size()))));
            }
            tar.flush();
            gzip.finish();
        }
        return new Common(member, plain, packed);
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setModTime(0);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
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

    /** Writes a variant as a layout into {@code layout}, tagged {@code bench}. */
    void write(int variant, Path layout) {
        try {
            Files.createDirectories(layout.resolve("blobs/sha256"));
            List<String> diffs = new ArrayList<>();
            List<String> descriptors = new ArrayList<>();
            for (Common layer : common) {
                layer(layer, variant, layout, diffs, descriptors);
            }
            byte[] config = """
                    {"architecture":"%s","os":"linux","config":{"Cmd":["sh"]},\
                    "rootfs":{"type":"layers","diff_ids":[%s]}}"""
                    .formatted(Platform.host().architecture(), String.join(",", diffs)).getBytes(StandardCharsets.UTF_8);
            byte[] manifest = """
                    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}"""
                    .formatted(descriptor("config.v1+json", blob(layout, config), config.length),
                            String.join(",", descriptors)).getBytes(StandardCharsets.UTF_8);
            String entry = descriptor("manifest.v1+json", blob(layout, manifest), manifest.length);
            Files.writeString(layout.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":["
                    + entry.replaceFirst("}$", ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"bench\"}}") + "]}");
            Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        } catch (IOException e) {
            throw fault(e);
        }
    }

    // The common member, and behind it one with the variant's own file and the archive's end.
    private static void layer(Common layer, int variant, Path layout, List<String> diffs, List<String> descriptors)
            throws IOException {
        MessageDigest plain = cloned(layer.plain);
        MessageDigest packed = cloned(layer.packed);
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(
                new DigestOutputStream(new GZIPOutputStream(new DigestOutputStream(rest, packed)), plain), "UTF-8")) {
            put(tar, "variant", Integer.toString(variant).getBytes(StandardCharsets.US_ASCII));
        }
        diffs.add('"' + Digest.ofHash("sha256", plain.digest()).toString() + '"');
        Digest digest = Digest.ofHash("sha256", packed.digest());
        Path blob = layout.resolve("blobs/sha256").resolve(digest.hex());
        Files.copy(layer.member, blob);
        Files.write(blob, rest.toByteArray(), java.nio.file.StandardOpenOption.APPEND);
        descriptors.add(descriptor("layer.v1.tar+gzip", digest, Files.size(blob)));
    }

    private static MessageDigest cloned(MessageDigest hash) {
        try {
            return (MessageDigest) hash.clone();
        } catch (CloneNotSupportedException e) {
            throw RuntimeFault.internal("write the bench's image: the hash cannot be copied", e);
        }
    }

    private static String descriptor(String type, Digest digest, long bytes) {
        return "{\"mediaType\":\"application/vnd.oci.image.%s\",\"digest\":\"%s\",\"size\":%d}".formatted(type, digest, bytes);
    }

    private static Digest blob(Path layout, byte[] content) throws IOException {
        Digest digest = Digest.ofBytes(content);
        Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), content);
        return digest;
    }

    private static RuntimeFault fault(IOException e) {
        return RuntimeFault.internal("write the bench's image: " + RuntimeFault.reason(e), e);
    }
}
