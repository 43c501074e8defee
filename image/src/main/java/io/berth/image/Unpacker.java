package io.berth.image;

import io.berth.base.Digest;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * Where layers go: the snapshot store, as images see it. Thread-safe; layers of different chains are unpacked at the
 * same time, and a call for a chain that is being unpacked waits for it and does nothing.
 */
public interface Unpacker {

    /** Whether the layer is there, whole. */
    boolean has(Digest chainId);

    /**
     * Unpacks one layer; does nothing when it is there already.
     *
     * @param parentChain the chain below; empty for the lowest layer
     * @param diffId what the uncompressed bytes must hash to; otherwise the call fails with kind DATA_LOSS
     * @param mediaType of the blob, which tells the compression
     * @param compressed read to its end; closed by the caller
     * @param awaitParent called before the layer becomes visible: returns when the chain below is there, and fails when
     *     the bytes have turned out to be wrong
     */
    void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent);

    /** As above, when the chain below is there. */
    default void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType,
            InputStream compressed) {
        unpack(parentChain, chainId, diffId, mediaType, compressed, () -> { });
    }

    /** Whether a layer can be unpacked only when the one below is there. */
    default boolean goesInTurns() {
        return false;
    }

    /**
     * Lets a snapshotter that knows registries bring the layer itself. The chain below is there.
     *
     * @return whether the layer is there now; false where it has to be downloaded and unpacked
     */
    default boolean bring(RemoteLayer layer) {
        return false;
    }

    /** Waits until all layers are on the disk, so that a power cut takes none of them. */
    void awaitDurable();

    /** What is wrong with an unpacked layer, in words; empty when it is whole as far as can be told. */
    Optional<String> damage(Digest chainId);

    /** The chains that are there. */
    List<Digest> chains();

    /**
     * Removes an unpacked layer, unless a container or another layer stands on it.
     *
     * @return whether the layer is gone (also when it never was there)
     */
    boolean remove(Digest chainId);
}
