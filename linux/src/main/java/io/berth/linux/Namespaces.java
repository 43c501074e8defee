package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Makes, pins and enters namespaces, always on a fresh platform thread that ends right after: a thread that is started
 * from a thread in another namespace would stay in that namespace for good.
 *
 * <p>A namespace is pinned by a bind mount of its {@code /proc} file, so it lives on without a process in it.
 */
public final class Namespaces {

    private static final int STACK_BYTES = 256 * 1024;
    private static final int STATFS_BYTES = 120;
    private static final long NSFS_MAGIC = 0x6e736673;

    private Namespaces() {}

    /**
     * Unshares {@code kinds} and pins each at {@code directory}/{its name}. When a step fails, nothing stays pinned.
     *
     * @param kinds any of NET, IPC, UTS; the others need a process of their own
     * @param inside runs in the new namespaces before they are pinned: host name, sysctls, loopback up; it must not start
     *     threads
     * @return the pinned files
     */
    public static Map<Namespace, Path> create(Set<Namespace> kinds, Path directory, Runnable inside) {
        Map<Namespace, Path> pinned = new EnumMap<>(Namespace.class);
        if (kinds.isEmpty()) {
            return pinned;
        }
        kinds.forEach(kind -> pinned.put(kind, directory.resolve(kind.procName())));
        try {
            onFreshThread("namespaces", () -> {
                int flags = 0;
                for (Namespace kind : kinds) {
                    flags |= kind.flag;
                }
                Kernel.check(Kernel.tryCall(SystemCall.UNSHARE, flags, 0), "unshare", kinds);
                inside.run();
                pinned.forEach(Namespaces::pinCurrent);
                return null;
            });
        } catch (RuntimeException failure) {
            pinned.values().forEach(Namespaces::unpin);
            throw failure;
        }
        return pinned;
    }

    /** Pins the namespace that process {@code pid} is in at {@code file}. */
    public static void pin(int pid, Namespace kind, Path file) {
        bindTo(Path.of("/proc/" + pid + "/ns/" + kind.procName()), file);
    }

    private static void pinCurrent(Namespace kind, Path file) {
        bindTo(Path.of("/proc/thread-self/ns/" + kind.procName()), file);
    }

    private static void bindTo(Path source, Path file) {
        try {
            Files.createDirectories(file.getParent());
            Files.deleteIfExists(file);
            Files.createFile(file);
        } catch (IOException e) {
            throw RuntimeFault.internal("pin namespace " + file + ": " + RuntimeFault.reason(e), e);
        }
        Mounts.bind(source, file);
    }

    /** Gives the pin up; the namespace ends with its last process. Nothing happens where nothing is pinned. */
    public static void unpin(Path file) {
        Mounts.unmount(file);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw RuntimeFault.internal("unpin namespace " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Whether a namespace is pinned at {@code file}. */
    public static boolean isPinned(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            // Not by the mount table, which is as long as the node has mounts: statfs(2).
            MemorySegment answer = arena.allocate(STATFS_BYTES, 8);
            long result = Kernel.tryCall(SystemCall.STATFS, arena.allocateFrom(file.toString()).address(), answer.address());
            return result == 0 && answer.get(ValueLayout.JAVA_LONG, 0) == NSFS_MAGIC;
        }
    }

    /** The inode number of the namespace that a pinned or /proc file stands for: two files with the same are one. */
    public static long identity(Path file) {
        try {
            return (long) Files.getAttribute(file, "unix:ino");
        } catch (IOException e) {
            throw RuntimeFault.internal("identify namespace " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    /**
     * Runs {@code work} in the namespace pinned at {@code file}, on a fresh thread. Sockets that the work opens belong to
     * that namespace from then on, whichever thread uses them.
     */
    public static <T> T in(Path file, Callable<T> work) {
        return onFreshThread("in-namespace", () -> {
            try (Fd namespace = Fd.openReadOnly(file)) {
                Kernel.check(Kernel.tryCall(SystemCall.SETNS, namespace.number(), 0), "enter namespace", file);
                return work.call();
            }
        });
    }

    /** As {@link #in(Path, Callable)} in several namespaces at once. */
    public static <T> T in(Collection<Path> files, Callable<T> work) {
        return onFreshThread("in-namespaces", () -> {
            for (Path file : files) {
                try (Fd namespace = Fd.openReadOnly(file)) {
                    Kernel.check(Kernel.tryCall(SystemCall.SETNS, namespace.number(), 0), "enter namespace", file);
                }
            }
            return work.call();
        });
    }

    /** Sets the host name of the calling thread's UTS namespace. */
    public static void setHostname(String name) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            MemorySegment text = arena.allocateFrom(name);
            Kernel.check(Kernel.tryCall(SystemCall.SETHOSTNAME, text.address(), bytes.length), "set host name", name);
        }
    }

    static <T> T onFreshThread(String name, Callable<T> work) {
        CompletableFuture<T> outcome = new CompletableFuture<>();
        Thread.ofPlatform().name(name).stackSize(STACK_BYTES).daemon().start(() -> {
            try {
                outcome.complete(work.call());
            } catch (Throwable failure) {
                outcome.completeExceptionally(failure);
            }
        });
        try {
            return outcome.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "work in namespace: interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeFault fault) {
                throw fault;
            }
            throw RuntimeFault.during("work in namespace", e.getCause());
        }
    }
}
