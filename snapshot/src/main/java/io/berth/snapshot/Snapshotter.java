package io.berth.snapshot;

import io.berth.base.Digest;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps unpacked layers by chain id and makes root filesystems of them. Implementations are durable, crash-safe and
 * thread-safe; calls block. Operations on root filesystems are idempotent by key, and what is known of a key answers from
 * memory.
 */
public interface Snapshotter {

    /** Whether the layer is there, whole. */
    boolean has(Digest chainId);

    /** All layers. */
    List<Digest> chains();

    /** Whether a layer can be unpacked only when the one below is there. */
    boolean goesInTurns();

    /**
     * Brings a layer by itself, where the snapshotter knows registries.
     *
     * @return whether the layer is there now; false where it has to be {@linkplain #unpack unpacked}
     */
    boolean bring(LayerSource layer);

    /**
     * A layer's blob in a registry.
     *
     * @param image the full name that the image is pulled by
     * @param annotations what the image's manifest says of the blob
     * @param blobs this layer's blob and those above it, in their order
     */
    record LayerSource(String image, Digest manifest, Digest blob, Map<String, String> annotations, List<Digest> blobs,
            Optional<Digest> parentChain, Digest chainId, Digest diffId) {}

    /**
     * Unpacks a layer from its blob; does nothing when it is there. Another call for the same chain waits.
     *
     * @param compressed read to its end, closed by the caller
     * @param awaitParent called when all is unpacked; returns when the layer below is there and the blob is known to be
     *     good. What it throws takes the layer away again
     * @throws io.berth.base.RuntimeFault DATA_LOSS when the bytes are damaged, malformed, lead out of the layer or are not
     *     those of {@code diffId}; RESOURCE_EXHAUSTED when they are a bomb; UNSUPPORTED for encrypted layers
     */
    void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent);

    /**
     * Removes a layer that nothing stands on.
     *
     * @return whether it is gone (also when it never was there)
     */
    boolean removeLayer(Digest chainId);

    /** What all layers take. */
    Usage layerUsage();

    /** What is wrong with a layer, in words; empty when it is whole as far as can be told. */
    Optional<String> layerDamage(Digest chainId);

    /** Waits until all unpacked layers are on the disk. */
    void awaitSync();

    /** Whether root filesystems can have the owners of a user namespace. */
    boolean mapsOwners();

    /** Keys of the root filesystems and views that are there. */
    Set<String> activeKeys();

    /** What is known of a key. */
    Optional<RootFilesystem> active(String key);

    /**
     * Mounts the layers with a fresh writable one on top. A second call with the same key finds the same file system,
     * and mounts it again where a restart of the machine has unmounted it.
     *
     * @param chainIds of all layers, the lowest first
     * @param mountPoint made where it is missing
     * @param owners whose ids own the files, where the container has a user namespace
     * @param label the SELinux label that all files are seen with
     */
    RootFilesystem prepare(String key, List<Digest> chainIds, Path mountPoint, Optional<MappedOwners> owners,
            Optional<String> label);

    /**
     * As {@link #prepare}, with what another container has changed in these layers. It is there whole or not at all.
     *
     * @throws io.berth.base.RuntimeFault as {@link #unpack} does for changes that are damaged, lead out of the root or are a
     *     bomb
     */
    RootFilesystem prepareChanged(String key, List<Digest> chainIds, Path mountPoint, Optional<String> label, Changes changes);

    /** Mounts the layers read-only, for an image volume. */
    RootFilesystem mountReadOnly(String key, List<Digest> chainIds, Path mountPoint, Optional<MappedOwners> owners,
            Optional<String> label);

    /** Unmounts and removes a root filesystem or view with all changes in it; nothing happens where there is none. */
    void remove(String key);

    /**
     * Writes what a container has changed in its root filesystem as the tar stream of an OCI layer, with its deletions as
     * whiteouts. The container may run on meanwhile; what it changes then is in the stream or not.
     *
     * @param out not closed
     * @return the deleted paths, for readers that do not know whiteouts
     */
    List<String> writeChanges(String key, OutputStream out);

    /** What a container has changed: bytes and inodes of its writable layer. May walk the tree. */
    Usage usage(String key);
}
