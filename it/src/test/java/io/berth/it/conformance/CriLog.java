package io.berth.it.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;

/**
 * A line of a container's log as the kubelet reads it: {@code TIME STREAM TAG TEXT}, the tag P for a line that goes on in the
 * next one and F for the last part.
 */
record CriLog(OffsetDateTime time, String stream, boolean partial, String text) {

    /** All whole lines so far; none when there is no file yet. */
    static List<CriLog> read(Path file) {
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            String content = Files.readString(file, StandardCharsets.UTF_8);
            List<CriLog> lines = new ArrayList<>();
            // What is after the last line break is still being written.
            content.substring(0, content.lastIndexOf('\n') + 1).lines().forEach(line -> lines.add(parse(line)));
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static CriLog parse(String line) {
        String[] parts = line.split(" ", 4);
        if (parts.length < 4 || !parts[1].matches("stdout|stderr") || !parts[2].matches("[PF](:.*)?")) {
            throw new AssertionError("not a line of a CRI log: \"" + line + "\"");
        }
        return new CriLog(OffsetDateTime.parse(parts[0]), parts[1], parts[2].startsWith("P"), parts[3]);
    }
}
