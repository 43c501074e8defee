package io.berth.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The log that CRIU writes beside a checkpoint or a restore: the runtimes only say that it failed. */
final class CriuLog {

    private static final int LINES = 3;
    private static final int MOST_CHARACTERS = 300;

    private CriuLog() {}

    /** The first errors of the log as the end of a message; empty without any. What they quote may be anybody's. */
    static String errors(Path log) {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            String errors = lines.filter(line -> line.contains("Error")).limit(LINES).map(CriuLog::plain)
                    .collect(Collectors.joining("; "));
            return errors.isEmpty() ? "" : ": " + errors;
        } catch (IOException | UncheckedIOException none) {
            return "";
        }
    }

    /**
     * Whether CRIU could not stop a process because that waits in a vfork(2) for a child which was frozen before its exec:
     * another moment will do. Source: CRIU, {@code compel/src/lib/infect.c}.
     */
    static boolean sawVfork(Path log) {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return lines.anyMatch(line -> line.contains("Unseizable non-zombie") && line.contains("state D"));
        } catch (IOException | UncheckedIOException none) {
            return false;
        }
    }

    private static String plain(String line) {
        String words = line.replaceFirst("^\\([0-9.]+\\)\\s*", "").strip().replaceAll("[^\\x20-\\x7e]", "?");
        return words.length() > MOST_CHARACTERS ? words.substring(0, MOST_CHARACTERS) + "…" : words;
    }
}
