package io.berth.image;

import io.berth.base.Digest;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A layer of an image in a registry, for a snapshotter that may bring it itself, now or when its files are read.
 *
 * @param image the full name that the image is pulled by
 * @param manifest the digest of the image's manifest
 * @param blob the layer's blob
 * @param annotations what the manifest says of the blob
 * @param blobs the digests of this layer's blob and of those above it, in their order
 * @param parentChain the chain below; empty for the lowest layer
 */
public record RemoteLayer(String image, Digest manifest, Digest blob, Map<String, String> annotations, List<Digest> blobs,
        Optional<Digest> parentChain, Digest chainId, Digest diffId) {

    public RemoteLayer {
        annotations = Map.copyOf(annotations);
        blobs = List.copyOf(blobs);
    }
}
