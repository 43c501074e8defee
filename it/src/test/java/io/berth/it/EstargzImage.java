package io.berth.it;

import io.berth.base.Digest;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.image.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An image for lazy pulls: busybox, a big layer of which a container needs little, and one that changes both.
 *
 * @param name what it is called for a pull
 * @param layers from the lowest to the uppermost, as its manifest has them
 */
record EstargzImage(String name, List<Layer> layers) {

    /** How many files /data has: d0 to d14 with two million bytes each, which no compression makes less. */
    static final int DATA_FILES = 15;
    static final int DATA_FILE_BYTES = 2_000_000;
    /** Which of {@link #layers} /data is in. */
    static final int DATA_LAYER = 1;

    private static final String GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

    /**
     * A layer in the registry.
     *
     * @param toc empty for one that cannot be read lazily
     */
    record Layer(byte[] blob, Digest diffId, Optional<Digest> toc) {

        Digest digest() {
            return Digest.ofBytes(blob);
        }

        private static Layer lazy(byte[] tar) throws IOException {
            EstargzLayer layer = EstargzLayer.of(tar);
            return new Layer(layer.blob(), layer.diffId(), Optional.of(layer.toc()));
        }

        private static Layer plain(byte[] tar) throws IOException {
            ByteArrayOutputStream blob = new ByteArrayOutputStream();
            try (GZIPOutputStream gzip = new GZIPOutputStream(blob)) {
                gzip.write(tar);
            }
            return new Layer(blob.toByteArray(), Digest.ofBytes(tar), Optional.empty());
        }
    }

    /** Makes it in {@code directory} and pushes it; all layers can be read lazily. */
    static EstargzImage push(LocalRegistry registry, Path directory, String name)
            throws IOException, InterruptedException {
        return push(registry, directory, name, false);
    }

    /** As above, with a layer between the second and the last that is by gzip alone; it has /plain. */
    static EstargzImage pushMixed(LocalRegistry registry, Path directory, String name)
            throws IOException, InterruptedException {
        return push(registry, directory, name, true);
    }

    private static EstargzImage push(LocalRegistry registry, Path directory, String name, boolean mixed)
            throws IOException, InterruptedException {
        Path layout = directory.resolve(name);
        BusyboxImage.write(layout, name + "\n");
        List<Layer> layers = new ArrayList<>();
        layers.add(Layer.lazy(Files.readAllBytes(blob(layout, onlyLayer(layout)))));
        layers.add(Layer.lazy(data()));
        if (mixed) {
            layers.add(Layer.plain(tar(Map.of("plain", "plain\n".getBytes(StandardCharsets.UTF_8)))));
        }
        layers.add(Layer.lazy(changes()));
        writeLayout(layout, layers);
        return new EstargzImage(registry.pushLayout(name, layout), List.copyOf(layers));
    }

    /** What is in /data/d{@code index}. */
    static byte[] dataFile(int index) {
        byte[] content = new byte[DATA_FILE_BYTES];
        new Random(index).nextBytes(content);
        return content;
    }

    private static byte[] data() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("data/", new byte[0]);
        files.put("data/gone", "to be removed\n".getBytes(StandardCharsets.UTF_8));
        files.put("data/empty", new byte[0]);
        for (int i = 0; i < DATA_FILES; i++) {
            files.put("data/d" + i, dataFile(i));
        }
        return tar(files);
    }

    private static byte[] changes() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("data/", new byte[0]);
        files.put("data/.wh.gone", new byte[0]);
        files.put("data/late", "late\n".getBytes(StandardCharsets.UTF_8));
        files.put("www/", new byte[0]);
        files.put("www/index.html", "another page\n".getBytes(StandardCharsets.UTF_8));
        files.put("www/.wh..wh..opq", new byte[0]);
        return tar(files);
    }

    private static byte[] tar(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                boolean directory = file.getKey().endsWith("/");
                byte type = directory ? TarConstants.LF_DIR : TarConstants.LF_NORMAL;
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey(), type);
                entry.setMode(directory ? 0755 : 0644);
                entry.setModTime(0);
                entry.setSize(file.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(file.getValue());
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static Path blob(Path layout, String digest) {
        return layout.resolve("blobs/sha256").resolve(Digest.parse(digest).hex());
    }

    private static String onlyLayer(Path layout) {
        JsonNode index = JsonMapper.shared().readTree(layout.resolve("index.json"));
        JsonNode manifest = JsonMapper.shared().readTree(blob(layout, index.at("/manifests/0/digest").asString()));
        return manifest.at("/layers/0/digest").asString();
    }

    /** Over the layout of busybox, whose blobs stay beside. */
    private static void writeLayout(Path layout, List<Layer> layers) throws IOException {
        List<Map<String, Object>> descriptors = new ArrayList<>();
        for (Layer layer : layers) {
            Map<String, Object> descriptor = descriptor(layout, GZIP, layer.blob());
            layer.toc().ifPresent(toc ->
                    descriptor.put("annotations", Map.of(EstargzLayer.TOC_ANNOTATION, toc.toString())));
            descriptors.add(descriptor);
        }
        List<String> diffIds = layers.stream().map(layer -> layer.diffId().toString()).toList();
        byte[] config = json(Map.of("architecture", Platform.host().architecture(), "os", "linux",
                "config", Map.of("Env", List.of("PATH=/bin"), "Cmd", List.of("sh"), "WorkingDir", "/"),
                "rootfs", Map.of("type", "layers", "diff_ids", diffIds)));
        byte[] manifest = json(Map.of("schemaVersion", 2, "mediaType", "application/vnd.oci.image.manifest.v1+json",
                "config", descriptor(layout, "application/vnd.oci.image.config.v1+json", config),
                "layers", descriptors));
        Files.write(layout.resolve("index.json"), json(Map.of("schemaVersion", 2,
                "manifests", List.of(descriptor(layout, "application/vnd.oci.image.manifest.v1+json", manifest)))));
    }

    private static Map<String, Object> descriptor(Path layout, String type, byte[] content) throws IOException {
        Digest digest = Digest.ofBytes(content);
        Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), content);
        return new LinkedHashMap<>(Map.of("mediaType", type, "digest", digest.toString(), "size", content.length));
    }

    private static byte[] json(Object content) {
        return JsonMapper.shared().writeValueAsBytes(content);
    }
}
