package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.PlatformThreads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings fresh layers to the disk in the background, all that have come meanwhile with one syncfs(2): a pull does not
 * wait for a slow disk. Thread-safe.
 */
final class LayerSync {

    private static final Logger LOG = LoggerFactory.getLogger(LayerSync.class);

    private final Path directory;
    private final Consumer<Digest> done;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private List<Digest> waiting = new ArrayList<>();
    private boolean running;

    LayerSync(Path directory, Consumer<Digest> done) {
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
        for (List<Digest> batch = next(); !batch.isEmpty(); batch = next()) {
            try (Fd opened = Fd.openDirectory(directory)) {
                Inodes.syncFileSystem(opened);
                batch.forEach(done);
            } catch (RuntimeFault e) {
                LOG.atWarn().addKeyValue("layers", batch.size()).setCause(e).log("sync layers");
            }
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
