package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.PlatformThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings fresh layers to the disk in the background, all that have come meanwhile with one syncfs(2): a pull does not
 * wait for a slow disk. Thread-safe.
 */
final class LayerSync {

    private static final Logger LOG = LoggerFactory.getLogger(LayerSync.class);

    private static final Duration WAIT = Duration.ofMillis(200);
    private static final int LONGEST_WAITS = 150;

    private final Path directory;
    private final Consumer<Digest> done;
    private final BooleanSupplier busy;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private List<Digest> waiting = new ArrayList<>();
    private boolean running;

    /** @param busy whether layers are being unpacked, which a sync would slow down */
    LayerSync(Path directory, Consumer<Digest> done, BooleanSupplier busy) {
        this.busy = busy;
        this.directory = directory;
        this.done = done;
    }

    void add(Digest chain) {
        lock.lock();
        try {
            waiting.add(chain);
            if (!running) {
                running = true;
                PlatformThreads.executor().execute(this::run);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        while (true) {
            awaitQuiet();
            List<Digest> batch = next();
            if (batch.isEmpty()) {
                return;
            }
            try (Fd opened = Fd.openDirectory(directory)) {
                Inodes.syncFileSystem(opened);
                batch.forEach(done);
            } catch (RuntimeException | Error e) {
                // Whatever it is: others wait for the end of this.
                LOG.atWarn().addKeyValue("layers", batch.size()).setCause(e).log("sync layers");
            }
        }
    }

    // The layers of one image come one after the other: all of them are worth one sync, after the last.
    private void awaitQuiet() {
        try {
            for (int i = 0; i < LONGEST_WAITS && (i == 0 || busy.getAsBoolean()); i++) {
                Thread.sleep(WAIT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<Digest> next() {
        lock.lock();
        try {
            List<Digest> batch = waiting;
            waiting = new ArrayList<>();
            if (batch.isEmpty()) {
                running = false;
                idle.signalAll();
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    void await() {
        lock.lock();
        try {
            while (running) {
                idle.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }
}
