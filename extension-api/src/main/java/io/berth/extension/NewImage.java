package io.berth.extension;

import java.util.Set;

/**
 * An image that is about to come into the node's store.
 *
 * @param reference in full, such as {@code docker.io/library/busybox:1.36}; of an imported one what it is going to be called
 * @param digests of its manifest, and of the index that this was chosen from; an archive of {@code docker save} has no
 *     manifest, and Berth makes one
 * @param source where it comes from
 */
public record NewImage(String reference, Set<String> digests, Source source) {

    /** Where an image comes from. */
    public enum Source {
        /** It is pulled. */
        REGISTRY,
        /** It is imported from a file or a directory of this node, by somebody who may use Berth's socket. */
        FILE
    }

    public NewImage {
        digests = Set.copyOf(digests);
    }
}
