package io.berth.image;

import io.berth.base.Digest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An image that is in the store, whole. Immutable.
 *
 * @param id digest of the configuration blob, which is what the kubelet knows as the image id
 * @param manifest digest of the manifest of this machine's platform
 * @param index digest of the index that led to the manifest, where there was one
 * @param repoTags full names with tags, sorted
 * @param repoDigests full names with digests, sorted
 * @param sizeBytes of manifest, configuration and layers as they are in the content store (compressed)
 * @param layers digests of the layer blobs, the lowest first
 * @param pinned not to be collected by the kubelet
 */
public record Image(Digest id, Digest manifest, Optional<Digest> index, List<String> repoTags,
        List<String> repoDigests, long sizeBytes, ImageConfig config, List<Digest> layers, boolean pinned,
        Instant pulledAt) {

    public Image {
        repoTags = repoTags.stream().sorted().distinct().toList();
        repoDigests = repoDigests.stream().sorted().distinct().toList();
        layers = List.copyOf(layers);
    }

    /** Digests of the uncompressed layers, the lowest first. */
    public List<Digest> diffIds() {
        return config.diffIds();
    }

    /** The names of the stacks of layers, the lowest first; the last one is the whole image. */
    public List<Digest> chainIds() {
        return chainIds(diffIds());
    }

    /** The formula of OCI image-spec, config.md, "Layer ChainID". */
    public static List<Digest> chainIds(List<Digest> diffIds) {
        List<Digest> chain = new ArrayList<>(diffIds.size());
        for (Digest diffId : diffIds) {
            chain.add(chain.isEmpty() ? diffId
                    : Digest.ofBytes((chain.getLast() + " " + diffId).getBytes(StandardCharsets.UTF_8)));
        }
        return List.copyOf(chain);
    }

    /** The blobs that this image needs in the content store. */
    public List<Digest> blobs() {
        List<Digest> blobs = new ArrayList<>(layers);
        blobs.add(id);
        blobs.add(manifest);
        index.ifPresent(blobs::add);
        return List.copyOf(blobs);
    }

    Image withNames(List<String> tags, List<String> digests) {
        return new Image(id, manifest, index, tags, digests, sizeBytes, config, layers, pinned, pulledAt);
    }

    Image withPinned(boolean value) {
        return new Image(id, manifest, index, repoTags, repoDigests, sizeBytes, config, layers, value, pulledAt);
    }
}
