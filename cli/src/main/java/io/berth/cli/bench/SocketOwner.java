package io.berth.cli.bench;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds the process that listens on a unix socket. Source: proc(5), /proc/net/unix and /proc/PID/fd. */
final class SocketOwner {

    private static final int LISTENING = 0x10000;

    private SocketOwner() {}

    /** @throws RuntimeFault NOT_FOUND when no process of this machine listens there */
    static int of(Path socket) {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            String link = inode(socket).map(inode -> "socket:[" + inode + "]").orElse("");
            return processes.filter(path -> path.getFileName().toString().matches("[0-9]+")).filter(path -> holds(path, link))
                    .map(path -> Integer.valueOf(path.getFileName().toString())).findFirst()
                    .orElseThrow(() -> RuntimeFault.notFound("find who listens on " + socket + ": nobody on this machine"));
        } catch (IOException e) {
            throw RuntimeFault.internal("find who listens on " + socket + ": " + RuntimeFault.reason(e), e);
        }
    }

    // Columns: number, references, protocol, flags, type, state, inode, path.
    private static Optional<String> inode(Path socket) throws IOException {
        return Files.readAllLines(Path.of("/proc/net/unix")).stream().map(line -> line.trim().split("\\s+", 8))
                .filter(fields -> fields.length == 8 && fields[7].equals(socket.toString())
                        && (Integer.parseInt(fields[3], 16) & LISTENING) != 0)
                .map(fields -> fields[6]).findFirst();
    }

    private static boolean holds(Path process, String link) {
        try (Stream<Path> descriptors = Files.list(process.resolve("fd"))) {
            return descriptors.anyMatch(descriptor -> target(descriptor).equals(link));
        } catch (IOException | java.io.UncheckedIOException ended) {
            return false;
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closed) {
            return "";
        }
    }
}
