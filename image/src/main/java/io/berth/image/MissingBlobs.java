package io.berth.image;

import io.berth.base.RuntimeFault;
import java.util.List;

/** Brings blobs of an image that the store once had, or that a snapshotter read elsewhere. Thread-safe; blocks. */
@FunctionalInterface
interface MissingBlobs {

    /** Has none. */
    MissingBlobs NOBODY = (image, missing) -> {
        throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "fetch layers of image " + image.id()
                + ": nobody can: pull the image again");
    };

    /** @throws RuntimeFault as {@link PullImage} does, when no place that the image was pulled from gives them */
    void fetch(Image image, List<Descriptor> missing);
}
