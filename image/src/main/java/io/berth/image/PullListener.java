package io.berth.image;

import io.berth.base.Digest;
import java.time.Duration;

/** Told how a pull gets on. Methods are called from several threads and must return at once. */
public interface PullListener {

    /** Nobody listens. */
    PullListener NONE = new PullListener() {};

    /** The manifest is known. */
    default void resolved(ImageReference reference, Digest manifest, int layers, long bytes) {}

    /** The blob was in the content store already. */
    default void present(Digest blob, long bytes) {}

    /** {@code done} of {@code total} bytes of the blob are there. */
    default void progress(Digest blob, long done, long total) {}

    /** A request failed and is made again. */
    default void retry(String what, String reason) {}

    /** A layer was unpacked. */
    default void unpacked(Digest chainId, Duration took) {}
}
