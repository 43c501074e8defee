package io.berth.extension;

/** Decides whether an image may be pulled. Thread-safe. */
@FunctionalInterface
public interface ImagePolicy {

    /**
     * Judges an image whose manifest is known, before any of its layers is fetched.
     *
     * @throws Exception the image is refused, unless the operator has set {@code extensions.image_policy_failure} to
     *     {@code "accept"}
     */
    Verdict judge(PulledImage image) throws Exception;
}
