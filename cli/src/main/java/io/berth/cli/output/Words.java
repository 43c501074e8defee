package io.berth.cli.output;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Sizes, ages and ids as people read them. */
public final class Words {

    private static final int SHORT_ID = 12;
    private static final long NANOS = 1_000_000_000L;

    private Words() {}

    /** Bytes in decimal units, such as 12.3MB. */
    public static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + "B";
        }
        String[] units = {"kB", "MB", "GB", "TB", "PB"};
        double value = bytes / 1000.0;
        int unit = 0;
        while (value >= 999.95 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f%s", value, units[unit]);
    }

    /** The time since {@code unixNanos}, in its largest unit or two, such as 5s, 3m12s, 4h, 12d; "-" for never. */
    public static String since(long unixNanos, Instant now) {
        return unixNanos <= 0 ? "-" : span(Duration.between(Instant.ofEpochSecond(0, unixNanos), now));
    }

    /** A length of time in its largest unit or two. */
    public static String span(Duration span) {
        long seconds = Math.max(0, span.toSeconds());
        if (seconds < 60) {
            return seconds + "s";
        }
        if (seconds < 600) {
            return seconds / 60 + "m" + (seconds % 60 == 0 ? "" : seconds % 60 + "s");
        }
        if (seconds < 3600) {
            return seconds / 60 + "m";
        }
        if (seconds < 48 * 3600) {
            return seconds / 3600 + "h" + (seconds % 3600 / 60 == 0 ? "" : seconds % 3600 / 60 + "m");
        }
        return seconds / 86400 + "d";
    }

    /** A time of the protocol as UTC; "-" for never. */
    public static String time(long unixNanos) {
        return unixNanos <= 0 ? "-" : Instant.ofEpochSecond(unixNanos / NANOS, unixNanos % NANOS).toString();
    }

    /** The beginning of an id of a pod, a container or an image. */
    public static String shortId(String id) {
        String bare = id.startsWith("sha256:") ? id.substring(7) : id;
        return bare.length() <= SHORT_ID ? bare : bare.substring(0, SHORT_ID);
    }
}
