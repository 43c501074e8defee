package io.berth.server.doctor;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The machine as the doctor sees it.
 *
 * @param root of its file system; another one for tests
 * @param programs runs a program and gives what it printed, or empty when it failed
 * @param searchPath directories of programs
 */
public record Host(Path root, Function<List<String>, Optional<String>> programs, List<String> searchPath) {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** This machine. */
    public static Host here() {
        return new Host(Path.of("/"), Host::output, List.of(Command.searchPath().split(":")));
    }

    private static Optional<String> output(List<String> program) {
        try {
            Command.Output output = Command.of(program, LIMIT).run();
            return output.exitCode() == 0 ? Optional.of(output.stdoutText().strip()) : Optional.empty();
        } catch (RuntimeFault notThereOrTooSlow) {
            return Optional.empty();
        }
    }

    /** A path of the machine. */
    Path path(String absolute) {
        return root.resolve(absolute.replaceFirst("^/+", ""));
    }

    Path path(Path absolute) {
        return path(absolute.toString());
    }

    /** A file's text, stripped; empty when it cannot be read. */
    Optional<String> read(String absolute) {
        try {
            return Optional.of(Files.readString(path(absolute), StandardCharsets.UTF_8).strip());
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    /** Names in a directory, sorted; none when it cannot be read. */
    List<String> list(Path absolute) {
        try (Stream<Path> entries = Files.list(path(absolute))) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException absent) {
            return List.of();
        }
    }

    /** What a program prints. */
    Optional<String> run(String... program) {
        return programs.apply(List.of(program));
    }

    /** Where a program is, by its path or by its name in the search path. */
    Optional<String> find(String program) {
        Stream<String> places = program.startsWith("/") ? Stream.of(program)
                : searchPath.stream().map(directory -> directory + "/" + program);
        return places.filter(place -> Files.isExecutable(path(place))).findFirst();
    }
}
