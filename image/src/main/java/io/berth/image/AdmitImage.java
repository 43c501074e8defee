package io.berth.image;

import io.berth.base.Digest;
import java.util.Set;

/** Has a say about each image that is pulled, after the trust policy and before any layer is fetched. Thread-safe. */
@FunctionalInterface
public interface AdmitImage {

    /** Admits every image. */
    AdmitImage ALL = (image, digests) -> { };

    /**
     * @param digests of the image's manifest, and of the index that it was chosen from
     * @throws io.berth.base.RuntimeFault PERMISSION_DENIED when it is not to be pulled
     */
    void admit(ImageReference image, Set<Digest> digests);
}
