package io.berth.image;

import io.berth.base.Digest;
import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.databind.node.ObjectNode;

/**
 * The layout's {@code index.json}: one entry for each name of each image, so that skopeo and others can read the store.
 * Berth itself never reads it. Written under the lock of {@link Images}.
 */
final class LayoutIndex {

    static final String NAME = "org.opencontainers.image.ref.name";
    static final String CONTAINERD_NAME = "io.containerd.image.name";

    private final ContentStore content;
    private final Map<Digest, Descriptor> known = new ConcurrentHashMap<>();

    LayoutIndex(ContentStore content) {
        this.content = content;
    }

    void write(Collection<Image> images) throws IOException {
        ObjectNode root = BoundedJson.MAPPER.createObjectNode();
        root.put("schemaVersion", 2).put("mediaType", MediaTypes.OCI_INDEX);
        var manifests = root.putArray("manifests");
        known.keySet().retainAll(images.stream().map(Image::manifest).toList());
        for (Image image : images) {
            if (!content.has(image.manifest())) {
                continue;
            }
            Descriptor plain = known.computeIfAbsent(image.manifest(), this::describe);
            if (image.repoTags().isEmpty()) {
                manifests.add(plain.toJson());
            }
            for (String tag : image.repoTags()) {
                manifests.add(new Descriptor(plain.mediaType(), plain.digest(), plain.sizeBytes(), Optional.empty(),
                        Map.of(NAME, tag, CONTAINERD_NAME, tag)).toJson());
            }
        }
        ContentStore.replace(content.directory().resolve("index.json"), BoundedJson.MAPPER.writeValueAsBytes(root));
    }

    private Descriptor describe(Digest manifest) {
        byte[] json = content.read(manifest, Manifest.SIZE_LIMIT);
        return new Descriptor(Manifest.parse(manifest.toString(), json, "").mediaType(), manifest, json.length);
    }
}
