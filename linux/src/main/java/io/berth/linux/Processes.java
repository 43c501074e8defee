package io.berth.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Processes that need not be children. Stateless, thread-safe. Source: pidfd_open(2), proc_pid_stat(5). */
public final class Processes {

    private Processes() {}

    static Fd pidfd(int pid) {
        return new Fd((int) Kernel.check(Kernel.tryCall(SystemCall.PIDFD_OPEN, pid, 0), "watch process", pid));
    }

    /**
     * The time at which {@code pid} started, in clock ticks since boot, or empty when there is no such process or only its
     * zombie. With the number it identifies a process for as long as the machine runs.
     */
    public static OptionalLong startTicks(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return fields[0].equals("Z") || fields[0].equals("X")
                    ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(fields[19]));
        } catch (IOException gone) {
            return OptionalLong.empty();
        }
    }

    /** Whether {@code pid} is still the process that started at {@code startTicks}. */
    public static boolean isAlive(int pid, long startTicks) {
        OptionalLong now = startTicks(pid);
        return now.isPresent() && now.getAsLong() == startTicks;
    }

    /**
     * Sends {@code signal} to the process that started at {@code startTicks}.
     *
     * @return false when it has ended
     */
    public static boolean signal(int pid, long startTicks, int signal) {
        long opened = Kernel.tryCall(SystemCall.PIDFD_OPEN, pid, 0);
        if (opened == -Errno.ESRCH) {
            return false;
        }
        // The descriptor is opened before the check: after it the number cannot be another process's.
        try (Fd pidfd = new Fd((int) Kernel.check(opened, "watch process", pid))) {
            if (!isAlive(pid, startTicks)) {
                return false;
            }
            long result = Kernel.tryCall(SystemCall.PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
            if (result == -Errno.ESRCH) {
                return false;
            }
            Kernel.check(result, "signal process", pid);
            return true;
        }
    }

    /**
     * Kills {@code pid} and all that descend from it. Each is stopped before its children are looked up, so that it makes no
     * further ones meanwhile. A descendant whose parent has ended before is somebody else's child and not found.
     */
    public static void killTree(int pid) {
        OptionalLong start = startTicks(pid);
        if (start.isEmpty()) {
            return;
        }
        signal(pid, start.getAsLong(), Signals.STOP);
        children(pid).forEach(Processes::killTree);
        signal(pid, start.getAsLong(), Signals.KILL);
    }

    // Source: proc_tid_children(5).
    private static List<Integer> children(int pid) {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            List<Integer> children = new ArrayList<>();
            for (Path thread : (Iterable<Path>) threads::iterator) {
                Stream.of(Files.readString(thread.resolve("children")).strip().split(" ")).filter(text -> !text.isEmpty())
                        .map(Integer::valueOf).forEach(children::add);
            }
            return children;
        } catch (IOException | UncheckedIOException gone) {
            return List.of();
        }
    }

    /** Takes the remains of a child that has ended or is about to; nothing happens when {@code pid} is no child. */
    public static void reap(int pid) {
        PlatformThreads.call(() -> Kernel.tryCall(SystemCall.WAIT4, pid, 0, 0, 0));
    }

    /**
     * Waits on a platform thread until the process that started at {@code startTicks} has ended.
     *
     * @return false when {@code limit} passed first
     */
    public static boolean awaitEnd(int pid, long startTicks, Duration limit) {
        long opened = Kernel.tryCall(SystemCall.PIDFD_OPEN, pid, 0);
        if (opened == -Errno.ESRCH) {
            return true;
        }
        try (Fd pidfd = new Fd((int) Kernel.check(opened, "watch process", pid))) {
            return !isAlive(pid, startTicks) || pidfd.awaitReadable(limit.toMillis());
        }
    }
}
