package io.berth.extension;

/** Decides whether an image may come into the node's store, by a pull or by an import. Thread-safe. */
@FunctionalInterface
public interface ImagePolicy {

    /**
     * Judges an image whose manifest is known, before any of its layers is fetched. One with several names, as an archive can
     * have, is judged under each of them, and comes only if all are accepted.
     *
     * @throws Exception it cannot decide: the image is refused for now, unless the operator has set
     *     {@code extensions.image_policy_failure} to {@code "accept"}
     */
    Verdict judge(NewImage image) throws Exception;
}
