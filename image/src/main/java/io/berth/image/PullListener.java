package io.berth.image;

import io.berth.base.Digest;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** Told how a pull gets on. Methods are called from several threads and must return at once. */
public interface PullListener {

    /** Nobody listens. */
    PullListener NONE = new PullListener() {};

    /** A blob of the image and its size as it is transferred. */
    record Blob(Digest digest, long sizeBytes) {}

    /** The manifest is known: these are the layers, the lowest first. */
    default void resolved(List<Blob> layers) {}

    /** The blob was in the content store already. */
    default void present(Digest blob, long bytes) {}

    /** Bytes of a blob came over the network. */
    default void received(int count) {}

    /** {@code done} of {@code total} bytes of the blob are there. */
    default void progress(Digest blob, long done, long total) {}

    /** {@code done} bytes of the layer's blob were unpacked. */
    default void unpacking(Digest blob, long done) {}

    /** Runs what takes its time on this machine, which does not make the pull a stalled one. */
    default <T> T local(Supplier<T> work) {
        return work.get();
    }

    /** A request failed and is made again. */
    default void retry(String what, String reason) {}

    /** A layer was unpacked. */
    default void unpacked(Digest blob, Duration took) {}
}
