package io.berth.snapshot;

import java.time.Duration;

/**
 * What one layer may take before it is refused as a bomb.
 *
 * @param entries files, directories and links
 * @param bytes of the uncompressed archive, and of all files with their holes
 * @param pathBytes of one path
 * @param pathDepth directories in one path
 * @param headerBytes of one extended header
 * @param ratio of uncompressed to compressed bytes, judged once {@code ratioFromBytes} were unpacked
 * @param time that unpacking may take, waits for the network not counted
 */
public record UnpackLimits(long entries, long bytes, int pathBytes, int pathDepth, int headerBytes, long ratio,
        long ratioFromBytes, Duration time) {

    public static final UnpackLimits DEFAULT = new UnpackLimits(8_000_000, 512L << 30, 4095, 1024, 1 << 20, 600,
            2L << 30, Duration.ofHours(1));
}
