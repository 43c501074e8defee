package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * Unpacks what is missing of an image that is in the store: layers that a power loss has taken before they reached the
 * disk come back from their blobs without a registry. Stateless, thread-safe; blocks.
 */
public final class UnpackImage {

    private final Images images;

    public UnpackImage(Images images) {
        this.images = images;
    }

    /** Makes sure that all layers of {@code image} are unpacked; returns at once when they are. */
    public void ensure(Image image) {
        List<Digest> chains = image.chainIds();
        if (chains.stream().allMatch(images.unpacker()::has)) {
            return;
        }
        byte[] json = images.content().read(image.manifest(), Manifest.SIZE_LIMIT);
        Manifest manifest = Manifest.parse(image.id().toString(), json, "");
        try (Images.Lease lease = images.lease()) {
            lease.chains(chains);
            image.layers().forEach(lease::blob);
            switch (manifest) {
                case Manifest.OfImage described -> layers(described, image.config());
                case Manifest.OfArtifact artifact -> {
                    artifact.layers().forEach(blob -> present(blob.digest()));
                    BringArtifact.unpack(images, artifact, image.diffIds().getFirst());
                }
                case Manifest.Choice choice -> throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                        "unpack image " + image.id() + ": no image manifest");
            }
        }
    }

    /** Unpacks the layers of {@code manifest}, which the caller holds a lease on. */
    void layers(Manifest.OfImage manifest, ImageConfig config) {
        List<Digest> chains = Image.chainIds(config.diffIds());
        for (int i = 0; i < chains.size(); i++) {
            Descriptor layer = manifest.layers().get(i);
            if (images.unpacker().has(chains.get(i))) {
                continue;
            }
            present(layer.digest());
            try (InputStream in = images.content().open(layer.digest())) {
                images.unpacker().unpack(i == 0 ? Optional.empty() : Optional.of(chains.get(i - 1)), chains.get(i),
                        config.diffIds().get(i), layer.mediaType(), in);
            } catch (IOException e) {
                throw ContentStore.fault("read blob", layer.digest(), e);
            }
        }
    }

    private void present(Digest blob) {
        if (!images.content().has(blob)) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer " + blob
                    + ": its blob was dropped when the layer had been unpacked, and the layer is gone since:"
                    + " pull the image again");
        }
    }
}
