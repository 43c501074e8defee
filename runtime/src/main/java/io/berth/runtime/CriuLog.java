package io.berth.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The log that CRIU writes beside a checkpoint: the runtimes only say that it failed. */
final class CriuLog {

    private static final int LINES = 3;

    private CriuLog() {}

    /** The first errors of the log as the end of a message; empty without any. */
    static String errors(Path log) {
        try (Stream<String> lines = Files.lines(log)) {
            String errors = lines.filter(line -> line.contains("Error")).limit(LINES)
                    .map(line -> line.replaceFirst("^\\([0-9.]+\\)\\s*", "").strip()).collect(Collectors.joining("; "));
            return errors.isEmpty() ? "" : ": " + errors;
        } catch (IOException none) {
            return "";
        }
    }
}
