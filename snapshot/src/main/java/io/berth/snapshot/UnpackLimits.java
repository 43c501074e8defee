package io.berth.snapshot;

/**
 * What one layer may take before it is refused as a bomb.
 *
 * @param entries files, directories and links
 * @param bytes of the uncompressed archive
 * @param pathBytes of one path
 * @param headerBytes of one extended header
 * @param ratio of uncompressed to compressed bytes, judged once {@code ratioFromBytes} were unpacked
 */
public record UnpackLimits(long entries, long bytes, int pathBytes, int headerBytes, long ratio, long ratioFromBytes) {

    public static final UnpackLimits DEFAULT = new UnpackLimits(8_000_000, 512L << 30, 4095, 1 << 20, 600, 2L << 30);
}
