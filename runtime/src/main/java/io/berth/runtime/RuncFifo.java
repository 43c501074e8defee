package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Lets a container that runc has created run its program, as {@code runc start} does: its first process waits until somebody
 * opens the FIFO in runc's state directory for reading. It then writes a byte and becomes the program; whoever has opened the
 * FIFO removes it, from which runc tells later that the container runs. Doing that here saves the start of one more program.
 *
 * <p>Source: runc, {@code libcontainer/standard_init_linux.go} and {@code container_linux.go}, the same since 1.0.
 */
record RuncFifo() implements StartFifo {

    /** The name that runc gives the first process until that becomes the program. */
    private static final String WAITING = "runc:[2:INIT]";
    private static final long GLANCE_MILLIS = 50;

    @Override
    public boolean isWaiting(int pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip().equals(WAITING);
        } catch (IOException gone) {
            return false;
        }
    }

    @Override
    public boolean open(String id, Path state, int pid, Duration limit) {
        Path fifo = state.resolve(NAME);
        return pid > 0 && Files.exists(fifo) && PlatformThreads.await(() -> openBlocking(id, fifo, pid, limit));
    }

    private boolean openBlocking(String id, Path fifo, int pid, Duration limit) throws IOException {
        if (!isWaiting(pid) && !Files.exists(Path.of("/proc/" + pid))) {
            throw RuntimeFault.precondition("start container " + id + ": its process has ended");
        }
        try (Fd opened = Fd.openFifo(fifo)) {
            long deadline = System.nanoTime() + limit.toNanos();
            while (!opened.awaitReadable(GLANCE_MILLIS)) {
                if (!isWaiting(pid)) {
                    // It ended, which its monitor tells, or an attempt that was killed here had opened the FIFO before.
                    break;
                }
                if (System.nanoTime() > deadline) {
                    throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "start container " + id
                            + ": its process has not begun its program within " + limit.toMillis() + " ms");
                }
            }
            Files.deleteIfExists(fifo);
            return true;
        }
    }
}
