package io.berth.extension;

import java.util.Set;

/**
 * An image that is about to be pulled.
 *
 * @param reference in full, such as {@code docker.io/library/busybox:1.36}
 * @param digests of its manifest, and of the index that this was chosen from
 */
public record PulledImage(String reference, Set<String> digests) {

    public PulledImage {
        digests = Set.copyOf(digests);
    }
}
