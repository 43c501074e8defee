package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * A child of this process, held by its pidfd, so that a recycled process number is never hit. Owned by one caller, which
 * waits for it (or the child stays a zombie) and closes it; {@link #close} kills and reaps a child that still runs.
 */
public final class ChildProcess implements AutoCloseable {

    private static final int WNOHANG = 1;

    private final int pid;
    private final String name;
    private final Fd pidfd;
    private OptionalInt status = OptionalInt.empty();

    ChildProcess(int pid, String name) {
        this.pid = pid;
        this.name = name;
        this.pidfd = Processes.pidfd(pid);
    }

    public int pid() {
        return pid;
    }

    /**
     * Waits for the end, on a platform thread.
     *
     * @return the exit code (128 plus the signal where a signal ended it), or empty when {@code limit} passed first
     */
    public OptionalInt await(Duration limit) {
        if (status.isEmpty()) {
            long deadline = System.nanoTime() + limit.toNanos();
            while (true) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (pidfd.awaitReadable(Math.max(0, left))) {
                    status = OptionalInt.of(reap());
                    break;
                }
                if (left <= 0) {
                    return OptionalInt.empty();
                }
            }
        }
        return status;
    }

    /** Waits until one of the two (null: none) is readable or the child has ended; whether it has. */
    boolean awaitOutput(Fd first, Fd second, long millis) {
        Fd.poll(millis, first == null ? -1 : first.number(), second == null ? -1 : second.number(), pidfd.number());
        return pidfd.awaitReadable(0);
    }

    /** Sends {@code signal}; nothing happens when the child has ended. */
    public void signal(int signal) {
        long result = Kernel.tryCall(SystemCall.PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
        if (result < 0 && result != -Errno.ESRCH) {
            Kernel.check(result, "signal", name);
        }
    }

    /**
     * Gives the child up without ending it: whoever gets its number ends it and calls {@link Processes#reap}.
     *
     * @return its process number
     */
    int release() {
        pidfd.close();
        return pid;
    }

    private int reap() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(4, 4);
            long result;
            do {
                result = Kernel.tryCall(SystemCall.WAIT4, pid, word.address(), WNOHANG, 0);
            } while (result == -Errno.EINTR);
            Kernel.check(result, "wait for", name);
            int value = word.get(ValueLayout.JAVA_INT, 0);
            int signal = value & 0x7f;
            return signal == 0 ? value >> 8 & 0xff : 128 + signal;
        }
    }

    @Override
    public void close() {
        try {
            if (status.isEmpty()) {
                signal(Signals.KILL);
                if (await(Duration.ofSeconds(10)).isEmpty()) {
                    throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED,
                            "end " + name + " (process " + pid + "): it does not die, it may wait for a device");
                }
            }
        } finally {
            pidfd.close();
        }
    }
}
