package io.berth.cli.logs;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/**
 * One line of a container's log file. Source: the log format of the Container Runtime Interface (KEP "CRI log format"):
 * time, stream, tags, text.
 *
 * @param time when it was written
 * @param stderr whether it came from stderr
 * @param partial whether the container's line goes on with the next one of this stream
 * @param text the bytes, without a line feed
 */
public record LogLine(Instant time, boolean stderr, boolean partial, byte[] text) {

    /** Reads a line without its line feed; empty for a line that is not of this format. */
    public static Optional<LogLine> parse(byte[] line) {
        int first = indexOf(line, 0);
        int second = first < 0 ? -1 : indexOf(line, first + 1);
        int third = second < 0 ? -1 : indexOf(line, second + 1);
        if (third < 0) {
            return Optional.empty();
        }
        String stream = text(line, first + 1, second);
        String tag = text(line, second + 1, third).split(":")[0];
        if (!stream.equals("stdout") && !stream.equals("stderr")) {
            return Optional.empty();
        }
        try {
            Instant time = OffsetDateTime.parse(text(line, 0, first)).toInstant();
            return Optional.of(new LogLine(time, stream.equals("stderr"), tag.equals("P"),
                    java.util.Arrays.copyOfRange(line, third + 1, line.length)));
        } catch (DateTimeException notATime) {
            return Optional.empty();
        }
    }

    private static int indexOf(byte[] line, int from) {
        for (int i = from; i < line.length; i++) {
            if (line[i] == ' ') {
                return i;
            }
        }
        return -1;
    }

    private static String text(byte[] line, int from, int to) {
        return new String(line, from, to - from, StandardCharsets.US_ASCII);
    }
}
