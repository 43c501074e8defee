package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Fifo;
import io.berth.linux.PlatformThreads;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Lets a container that crun has created run its program, as {@code crun start} does: its first process has the FIFO open
 * and becomes the program when it reads a byte; crun tells later from the FIFO's absence that the container runs. Hooks that
 * belong after the start are crun's to run.
 *
 * <p>Source: crun, {@code src/libcrun/status.c} and {@code container.c}, the same since 0.3.
 */
record CrunFifo() implements StartFifo {

    @Override
    public boolean isWaiting(int pid) {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            return descriptors.anyMatch(CrunFifo::isFifo);
        } catch (IOException | UncheckedIOException gone) {
            return false;
        }
    }

    private static boolean isFifo(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains("/" + NAME);
        } catch (IOException closed) {
            return false;
        }
    }

    @Override
    public boolean open(String id, Path state, int pid, Duration limit) {
        Path fifo = state.resolve(NAME);
        return pid > 0 && Files.exists(fifo) && !hasHooksAfterStart(state) && PlatformThreads.call(() -> write(id, fifo, pid));
    }

    private static boolean hasHooksAfterStart(Path state) {
        try {
            return Files.readString(state.resolve("config.json"), StandardCharsets.ISO_8859_1).contains("\"poststart\"");
        } catch (IOException unreadable) {
            return true;
        }
    }

    private static boolean write(String id, Path fifo, int pid) throws IOException {
        Optional<Fd> writer = Fifo.openWriter(fifo);
        if (writer.isEmpty()) {
            if (!Files.exists(Path.of("/proc/" + pid))) {
                throw RuntimeFault.precondition("start container " + id + ": its process has ended");
            }
            return false;
        }
        try (Fd opened = writer.get()) {
            // In this order: killed in between, the process tells by the FIFO that it has closed that it has begun.
            opened.write(new byte[1], 0, 1);
            Files.deleteIfExists(fifo);
            return true;
        }
    }
}
