package io.berth.image;

import io.berth.base.Digest;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A reference to content by type, digest and size. Source: OCI image-spec, descriptor.md. */
record Descriptor(String mediaType, Digest digest, long sizeBytes, Optional<Platform> platform,
        Map<String, String> annotations) {

    Descriptor(String mediaType, Digest digest, long sizeBytes) {
        this(mediaType, digest, sizeBytes, Optional.empty(), Map.of());
    }

    static Descriptor read(BoundedJson document, JsonNode node) {
        if (!node.hasNonNull("size")) {
            throw document.bad("a descriptor has no size");
        }
        Optional<Platform> platform = Optional.empty();
        if (node.hasNonNull("platform")) {
            JsonNode p = document.object(node, "platform");
            platform = Optional.of(new Platform(document.string(p, "os"), document.string(p, "architecture"),
                    document.string(p, "variant")));
        }
        return new Descriptor(document.string(node, "mediaType"), document.digest(document.string(node, "digest")),
                document.count(node, "size"), platform, document.stringMap(node, "annotations"));
    }

    ObjectNode toJson() {
        ObjectNode node = BoundedJson.MAPPER.createObjectNode();
        node.put("mediaType", mediaType).put("digest", digest.toString()).put("size", sizeBytes);
        if (!annotations.isEmpty()) {
            ObjectNode notes = node.putObject("annotations");
            annotations.entrySet().stream().sorted(Map.Entry.comparingByKey())
                    .forEach(e -> notes.put(e.getKey(), e.getValue()));
        }
        return node;
    }
}
