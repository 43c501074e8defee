package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Unpacks what is missing of an image that is in the store: layers that a power loss has taken before they reached the
 * disk, or that another snapshotter has. Their blobs come from the store, else from where the image was pulled. Stateless,
 * thread-safe; blocks.
 */
public final class UnpackImage {

    private final Images images;
    private final Unpacker unpacker;

    /** @param snapshotter where the layers have to be; empty for the usual one */
    public UnpackImage(Images images, String snapshotter) {
        this(images, images.unpackers().of(snapshotter));
    }

    UnpackImage(Images images, Unpacker unpacker) {
        this.images = images;
        this.unpacker = unpacker;
    }

    /**
     * Makes sure that all layers of {@code image} are unpacked; returns at once when they are.
     *
     * @throws RuntimeFault DATA_LOSS, or what the registry says, when blobs are missing and cannot be had
     */
    public void ensure(Image image) {
        List<Digest> chains = image.chainIds();
        if (chains.stream().allMatch(unpacker::has)) {
            return;
        }
        byte[] json = images.content().read(image.manifest(), Manifest.SIZE_LIMIT);
        Manifest manifest = Manifest.parse(image.id().toString(), json, "");
        try (Images.Lease lease = images.lease()) {
            lease.chains(chains);
            image.layers().forEach(lease::blob);
            switch (manifest) {
                case Manifest.OfImage described -> bring(image, described);
                case Manifest.OfArtifact artifact -> {
                    fetch(image, artifact.layers());
                    BringArtifact.unpack(images, unpacker, artifact, image.diffIds().getFirst());
                }
                case Manifest.Choice choice -> throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                        "unpack image " + image.id() + ": no image manifest");
            }
        }
    }

    private void bring(Image image, Manifest.OfImage manifest) {
        List<Digest> chains = image.chainIds();
        List<Descriptor> wanted = new ArrayList<>();
        for (int i = 0; i < chains.size(); i++) {
            if (!unpacker.has(chains.get(i))) {
                wanted.add(manifest.layers().get(i));
            }
        }
        fetch(image, wanted);
        layers(manifest, image.config());
    }

    private void fetch(Image image, List<Descriptor> wanted) {
        List<Descriptor> missing = wanted.stream().filter(blob -> !images.content().has(blob.digest())).toList();
        if (missing.isEmpty()) {
            return;
        }
        try {
            images.missingBlobs().fetch(image, missing);
        } catch (RuntimeFault fault) {
            throw RuntimeFault.during("unpack image " + image.id() + ": the blobs of " + missing.size()
                    + " layers are not on the node any more, and pulling them again failed (pull the image by hand)", fault);
        }
    }

    /** Unpacks the layers of {@code manifest}, which the caller holds a lease on, from blobs that are in the store. */
    void layers(Manifest.OfImage manifest, ImageConfig config) {
        List<Digest> chains = Image.chainIds(config.diffIds());
        for (int i = 0; i < chains.size(); i++) {
            Descriptor layer = manifest.layers().get(i);
            if (unpacker.has(chains.get(i))) {
                continue;
            }
            try (InputStream in = images.content().open(layer.digest())) {
                unpacker.unpack(i == 0 ? Optional.empty() : Optional.of(chains.get(i - 1)), chains.get(i),
                        config.diffIds().get(i), layer.mediaType(), in);
            } catch (IOException e) {
                throw ContentStore.fault("read blob", layer.digest(), e);
            }
        }
    }
}
