package io.berth.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/**
 * How the first process of a created container waits for its start: at the FIFO {@value #NAME} in the runtime's state
 * directory of the container. Doing at it what the runtime's {@code start} does saves the start of one more program.
 */
sealed interface StartFifo permits RuncFifo, CrunFifo {

    String NAME = "exec.fifo";

    /**
     * That of {@code program}, where it is runc or crun itself: a script or another program in front of it may want to see
     * each call.
     */
    static Optional<StartFifo> of(Path program) {
        byte[] elf = {0x7f, 'E', 'L', 'F'};
        try (InputStream start = Files.newInputStream(program)) {
            if (!Arrays.equals(start.readNBytes(elf.length), elf)) {
                return Optional.empty();
            }
            return switch (program.toRealPath().getFileName().toString()) {
                case "runc" -> Optional.of(new RuncFifo());
                case "crun" -> Optional.of(new CrunFifo());
                default -> Optional.empty();
            };
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /** Whether the first process {@code pid} still waits to become the program. */
    boolean isWaiting(int pid);

    /**
     * Starts the program.
     *
     * @param state the runtime's directory of the container
     * @param pid the container's first process
     * @return false when there is no such FIFO, or more to do: the runtime itself knows
     * @throws io.berth.base.RuntimeFault FAILED_PRECONDITION when the process has ended, DEADLINE_EXCEEDED after
     *     {@code limit}
     */
    boolean open(String id, Path state, int pid, Duration limit);
}
