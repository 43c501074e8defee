package io.berth.image;

import io.berth.base.Digest;
import java.util.Set;

/**
 * Has a say about each image that comes into the store, before any of its layers does: about one that is pulled after the trust
 * policy, about one that is imported under each of its names. Thread-safe.
 */
@FunctionalInterface
public interface AdmitImage {

    /** Where an image comes from. */
    enum Source {
        REGISTRY,
        FILE
    }

    /** Admits every image. */
    AdmitImage ALL = (image, digests, source) -> { };

    /**
     * @param digests of the image's manifest, and of the index that it was chosen from
     * @throws io.berth.base.RuntimeFault PERMISSION_DENIED when it is not to come, UNAVAILABLE when that cannot be told now
     */
    void admit(ImageReference image, Set<Digest> digests, Source source);
}
