package io.berth.base;

import java.time.Instant;

/** Times as the CRI has them: nanoseconds since the epoch. */
public final class UnixTime {

    private UnixTime() {}

    public static long now() {
        return nanos(Instant.now());
    }

    public static long nanos(Instant instant) {
        return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
    }

    public static Instant instant(long nanos) {
        return Instant.ofEpochSecond(Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
    }
}
