package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/**
 * Brings an artifact and makes its files one layer, so that a pod can mount it as it mounts an image. Its id is the digest
 * of a configuration that Berth makes up and that names the manifest, because many artifacts have the same empty one. Used
 * by one thread.
 */
final class BringArtifact {

    private final Images images;
    private final Unpacker unpacker;
    private final Consumer<Descriptor> blobs;
    private final PullListener listener;
    private final Images.Lease lease;

    /** @param blobs puts a blob into the store */
    BringArtifact(Images images, Unpacker unpacker, Consumer<Descriptor> blobs, PullListener listener, Images.Lease lease) {
        this.images = images;
        this.unpacker = unpacker;
        this.blobs = blobs;
        this.listener = listener;
        this.lease = lease;
    }

    /** Which manifest says what the artifact is: itself, and the index that led to it. */
    record Origin(Digest manifest, long manifestBytes, Optional<Digest> index, Digest target) {
        static Origin of(ResolveManifest.Resolved resolved) {
            return new Origin(resolved.manifestDigest(), resolved.json().length, resolved.index(), resolved.target());
        }
    }

    Image bring(Origin origin, Manifest.OfArtifact artifact, List<ImageReference> names) {
        listener.resolved(artifact.layers().stream()
                .map(blob -> new PullListener.Blob(blob.digest(), blob.sizeBytes())).toList());
        artifact.layers().forEach(blob -> lease.blob(blob.digest()));
        // Once unpacked its blobs may be gone, and its layer's digest is known by them alone: ask the record.
        Optional<Image> there = images.list().stream().filter(image -> image.manifest().equals(origin.manifest()))
                .filter(image -> image.chainIds().stream().allMatch(unpacker::has)).findFirst();
        ImageConfig config;
        Digest id;
        if (there.isPresent()) {
            config = there.get().config();
            id = there.get().id();
            artifact.layers().forEach(blob -> listener.present(blob.digest(), blob.sizeBytes()));
        } else {
            artifact.layers().forEach(blobs);
            byte[] made = listener.local(() -> configuration(origin, artifact));
            id = Digest.ofBytes(made);
            lease.blob(id);
            images.content().put(id, made);
            config = ImageConfig.parse(made);
            lease.chains(config.diffIds());
            listener.local(() -> {
                unpack(images, unpacker, artifact, config.diffIds().getFirst());
                return id;
            });
        }
        return new Image(id, origin.manifest, origin.index, names.stream().flatMap(name -> name.repoTag().stream()).toList(),
                names.stream().map(name -> name.repoDigest(origin.target)).toList(),
                artifact.contentBytes(origin.manifestBytes), config,
                artifact.layers().stream().map(Descriptor::digest).toList(), false, Instant.now());
    }

    private byte[] configuration(Origin origin, Manifest.OfArtifact artifact) {
        ObjectNode root = BoundedJson.MAPPER.createObjectNode();
        root.putObject("config").putObject("Labels").put("io.berth.artifact.type", artifact.artifactType())
                .put("io.berth.artifact.manifest", origin.manifest().toString());
        root.putObject("rootfs").put("type", "layers").putArray("diff_ids")
                .add(new ArtifactTar(images.content(), artifact).digest().toString());
        return BoundedJson.MAPPER.writeValueAsBytes(root);
    }

    /** Unpacks an artifact whose blobs are in the store. */
    static void unpack(Images images, Unpacker unpacker, Manifest.OfArtifact artifact, Digest diffId) {
        try (InputStream in = new ArtifactTar(images.content(), artifact).open()) {
            unpacker.unpack(Optional.empty(), diffId, diffId, MediaTypes.OCI_LAYER, in);
        } catch (IOException e) {
            throw new RuntimeFault(Kind.INTERNAL, "unpack artifact: " + RuntimeFault.reason(e), e);
        }
    }
}
