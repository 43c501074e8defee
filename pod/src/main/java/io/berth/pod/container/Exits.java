package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.linux.CgroupUsage;
import io.berth.linux.Cgroups;
import io.berth.pod.record.Container;
import io.berth.pod.record.Inventory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns of the ends of containers from the exit files of those who watch them, also of those that came while Berth was down.
 * Thread-safe; owns the thread that watches the directory until {@link #close}.
 */
public final class Exits implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Exits.class);
    private static final int KILLED_CODE = 137;
    private static final int OOM_EXIT_CODE = KILLED_CODE;
    private static final int FAILED_START_CODE = 128;

    private final Path directory;
    private final Path bundles;
    private final Inventory inventory;
    private final Cgroups cgroups;
    private final WatchService watch;
    private final ConcurrentHashMap<String, CompletableFuture<Void>> waiting = new ConcurrentHashMap<>();
    private volatile Consumer<Container> listener = container -> {};

    /**
     * @param directory where exit files appear, made when it is not there
     * @param bundles the parent of the containers' bundles
     */
    public Exits(Path directory, Path bundles, Inventory inventory, Cgroups cgroups) {
        this.directory = directory;
        this.bundles = bundles;
        this.inventory = inventory;
        this.cgroups = cgroups;
        try {
            Files.createDirectories(directory);
            watch = directory.getFileSystem().newWatchService();
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        } catch (IOException e) {
            throw RuntimeFault.internal("watch " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Sets who is told of each end, after it is on record; on the watching thread, so it must be quick. */
    public void onExit(Consumer<Container> told) {
        listener = told;
    }

    /** Takes up the ends that are there already and begins to watch. */
    public void start() {
        scan();
        Thread.ofPlatform().name("exits").daemon().stackSize(256 * 1024).start(this::watchLoop);
    }

    private void watchLoop() {
        try {
            while (true) {
                WatchKey key = watch.take();
                key.pollEvents().forEach(event -> {
                    if (event.kind() == StandardWatchEventKinds.OVERFLOW) {
                        scan();
                    } else {
                        safely(event.context().toString());
                    }
                });
                key.reset();
            }
        } catch (InterruptedException | java.nio.file.ClosedWatchServiceException closed) {
            LOG.atDebug().log("watch for exits ended");
        }
    }

    /** Reads the exit file of {@code id} now; false when there is none. */
    boolean takeUp(String id) {
        safely(id);
        return Files.exists(directory.resolve(id));
    }

    private void scan() {
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(file -> safely(file.getFileName().toString()));
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void safely(String name) {
        try {
            take(name);
        } catch (RuntimeException | IOException e) {
            LOG.atError().addKeyValue("container", name).setCause(e).log("exit cannot be recorded");
        }
    }

    // Who watches writes a temporary file first; only a file named by an id counts.
    private void take(String id) throws IOException {
        Optional<Container> known = inventory.findContainer(id).filter(container -> container.id().equals(id));
        Path file = directory.resolve(id);
        if (known.isEmpty() || !Files.exists(file)) {
            return;
        }
        String[] told = Files.readString(file).strip().split("\n", 2);
        int code = told[0].matches("-?[0-9]{1,9}") ? Integer.parseInt(told[0]) : 255;
        record(id, code, UnixTime.nanos(Files.getLastModifiedTime(file).toInstant()), told.length > 1 ? told[1] : "");
    }

    /** Records an end, once; a later report of the same container changes nothing. */
    public void record(String id, int code, long atNanos, String message) {
        Container before = inventory.container(id);
        boolean oom = code == OOM_EXIT_CODE && ranOutOfMemory(before);
        String reason = oom ? "OOMKilled" : code == 0 ? "Completed" : "Error";
        record(id, Container::isLive, new Container.Exit(code, atNanos, reason, message));
    }

    /**
     * Records why a container's program never ran. It counts also when the monitor was faster to tell that what waited to
     * become the program was killed.
     */
    void recordFailedStart(String id, String message) {
        record(id, container -> container.phase() != Container.Phase.REMOVING,
                new Container.Exit(FAILED_START_CODE, UnixTime.now(), "Error", message));
    }

    /** Records that a container was stopped that waited for its restore; nothing happens to any other. */
    void recordNeverRestored(String id) {
        record(id, container -> container.awaitsRestore() && container.restore().filter(Container.Restore.WAITING::equals)
                .isPresent(), new Container.Exit(KILLED_CODE, UnixTime.now(), "Error", "it was stopped before it was restored"));
    }

    private void record(String id, Predicate<Container> counts, Container.Exit exit) {
        boolean[] wasLive = new boolean[1];
        Container after = inventory.changeContainer(id, container -> {
            boolean applies = counts.test(container);
            wasLive[0] = container.isLive() && applies;
            return applies ? container.exited(exit) : container;
        });
        if (after.isLive()) {
            return;
        }
        CompletableFuture<Void> waiters = waiting.remove(id);
        if (waiters != null) {
            waiters.complete(null);
        }
        if (wasLive[0]) {
            listener.accept(after);
        }
    }

    // conmon notes what it heard of; the kernel's counter tells also what came too late for that.
    private boolean ranOutOfMemory(Container container) {
        return Files.exists(bundles.resolve(container.id()).resolve("oom"))
                || CgroupUsage.oomKills(cgroups, container.cgroup()) > 0;
    }

    /**
     * Waits for the end of a container.
     *
     * @return false when {@code limit} passed first
     */
    public boolean await(String id, Duration limit) {
        CompletableFuture<Void> end = waiting.computeIfAbsent(id, key -> new CompletableFuture<>());
        if (!inventory.findContainer(id).map(Container::isLive).orElse(false)) {
            waiting.remove(id);
            return true;
        }
        try {
            end.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait for container " + id + ": interrupted", e);
        } catch (ExecutionException e) {
            throw RuntimeFault.during("wait for container " + id, e.getCause());
        }
    }

    /** Forgets the exit file of a container that is removed. */
    void forget(String id) {
        waiting.remove(id);
        try {
            Files.deleteIfExists(directory.resolve(id));
        } catch (IOException e) {
            throw RuntimeFault.internal("remove the exit file of " + id + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** The ids that have an exit file. */
    public List<String> reported() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    @Override
    public void close() {
        try {
            watch.close();
        } catch (IOException e) {
            throw RuntimeFault.internal("end the watch of " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }
}
