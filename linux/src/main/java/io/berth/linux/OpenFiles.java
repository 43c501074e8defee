package io.berth.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Open descriptors of processes. Source: proc_pid_fd(5), proc_pid_limits(5). */
public record OpenFiles(long descriptors, long sockets) {

    private static final String SOFT_LIMIT = "Max open files";

    /** Counts those of {@code pids}; a process that ends meanwhile counts nothing. */
    public static OpenFiles of(List<Integer> pids) {
        long descriptors = 0;
        long sockets = 0;
        for (int pid : pids) {
            try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
                for (Path descriptor : open) {
                    descriptors++;
                    sockets += isSocket(descriptor) ? 1 : 0;
                }
            } catch (IOException | DirectoryIteratorException gone) {
                continue;
            }
        }
        return new OpenFiles(descriptors, sockets);
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException closed) {
            return false;
        }
    }

    /** How many descriptors {@code pid} may open now; empty when it has ended or has no limit. */
    public static OptionalLong softLimit(int pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/limits"), StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.startsWith(SOFT_LIMIT))
                    .map(line -> line.substring(SOFT_LIMIT.length()).strip().split(" +")[0])
                    .filter(number -> number.matches("[0-9]{1,18}")).mapToLong(Long::parseLong).findFirst();
        } catch (IOException | java.io.UncheckedIOException gone) {
            return OptionalLong.empty();
        }
    }
}
