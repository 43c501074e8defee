package io.berth.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets the kernel ready for a process that is about to be moved to another cgroup, as every OCI runtime moves what it starts.
 *
 * <p>The first move after a pause waits until every processor has passed a point of rest (a grace period of RCU, about 10
 * ms); those that follow within about as long do not. The wait can go on while the runtime is still being started: Berth moves
 * itself to where it is, which changes nothing but has the kernel wait. Thread-safe.
 *
 * <p>Source: the kernel's kernel/cgroup/cgroup.c ({@code cgroup_threadgroup_rwsem}) and kernel/rcu/sync.c.
 */
final class CgroupMoves {

    private static final Logger LOG = LoggerFactory.getLogger(CgroupMoves.class);
    private static final byte[] THIS_PROCESS = "0".getBytes(StandardCharsets.US_ASCII);
    /** The kernel stays ready for longer than this. */
    private static final Duration READY = Duration.ofMillis(4);

    private final Optional<Path> processes;
    private final AtomicLong last = new AtomicLong(System.nanoTime() - READY.toNanos());

    private CgroupMoves(Optional<Path> processes) {
        this.processes = processes;
    }

    /** @param controllers the version 1 hierarchy of each controller; any one will do, the kernel's lock is common to all */
    static CgroupMoves of(Map<String, Path> controllers, Optional<Path> unified, List<String> ownGroups) {
        return new CgroupMoves(ownGroups.stream().flatMap(line -> own(line, controllers, unified).stream()).findFirst());
    }

    /** The lines of {@code /proc/self/cgroup}; none where it cannot be read. */
    static List<String> ownGroups() {
        try {
            return Files.readAllLines(Path.of("/proc/self/cgroup"), StandardCharsets.UTF_8);
        } catch (IOException absent) {
            return List.of();
        }
    }

    // "5:pids:/system.slice" or "0::/system.slice".
    private static Optional<Path> own(String line, Map<String, Path> controllers, Optional<Path> unified) {
        String[] fields = line.split(":", 3);
        if (fields.length < 3) {
            return Optional.empty();
        }
        Optional<Path> root = fields[1].isEmpty() ? unified : Optional.ofNullable(controllers.get(fields[1].split(",")[0]));
        return root.map(top -> top.resolve(fields[2].replaceFirst("^/+", "")).resolve("cgroup.procs"))
                .filter(Files::isWritable);
    }

    /** Returns at once; a move in the next few milliseconds then waits for less or for nothing. */
    void expect() {
        processes.ifPresent(file -> {
            long now = System.nanoTime();
            long before = last.get();
            if (now - before >= READY.toNanos() && last.compareAndSet(before, now)) {
                PlatformThreads.executor().execute(() -> move(file));
            }
        });
    }

    private static void move(Path file) {
        try {
            Files.write(file, THIS_PROCESS, StandardOpenOption.WRITE);
        } catch (IOException e) {
            LOG.atDebug().addKeyValue("file", file).setCause(e).log("the kernel is not made ready for moves between cgroups");
        }
    }
}
