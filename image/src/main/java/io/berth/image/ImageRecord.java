package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** An image's JSON file. The configuration is not in it but read from its blob, so that there is one truth. */
final class ImageRecord {

    private static final int VERSION = 1;
    private static final int SIZE_LIMIT = 4 << 20;

    private ImageRecord() {}

    static String fileName(Digest id) {
        return id.algorithm() + "-" + id.hex() + ".json";
    }

    static byte[] write(Image image) {
        ObjectNode root = BoundedJson.MAPPER.createObjectNode();
        root.put("version", VERSION).put("id", image.id().toString()).put("manifest", image.manifest().toString());
        image.index().ifPresent(index -> root.put("index", index.toString()));
        strings(root.putArray("repoTags"), image.repoTags());
        strings(root.putArray("repoDigests"), image.repoDigests());
        root.put("sizeBytes", image.sizeBytes());
        strings(root.putArray("layers"), image.layers().stream().map(Digest::toString).toList());
        root.put("pulledAt", image.pulledAt().toString());
        return BoundedJson.MAPPER.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
    }

    static Image read(Path file, byte[] json, ContentStore content) {
        var document = BoundedJson.parse("image record " + file.getFileName(), json, SIZE_LIMIT);
        JsonNode root = document.root();
        if (document.count(root, "version") != VERSION) {
            throw RuntimeFault.unsupported("read image record " + file + ": version " + document.count(root, "version")
                    + " was written by a newer Berth");
        }
        Digest id = document.digest(document.string(root, "id"));
        String index = document.string(root, "index");
        return new Image(id, document.digest(document.string(root, "manifest")),
                index.isEmpty() ? Optional.empty() : Optional.of(document.digest(index)),
                document.strings(root, "repoTags"), document.strings(root, "repoDigests"),
                document.count(root, "sizeBytes"), ImageConfig.parse(content.read(id, ImageConfig.SIZE_LIMIT)),
                document.strings(root, "layers").stream().map(document::digest).toList(), false,
                document.instant(root, "pulledAt").orElse(Instant.EPOCH));
    }

    private static void strings(ArrayNode array, List<String> values) {
        values.forEach(array::add);
    }
}
