package io.berth.base;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One lock for each key in use; a key that nobody holds or waits for takes no memory. Thread-safe, reentrant.
 *
 * @param <K> the key, for instance a container id
 */
public final class KeyedLocks<K> {

    private static final class Entry {
        final ReentrantLock lock = new ReentrantLock();
        int users;
    }

    private final ConcurrentHashMap<K, Entry> entries = new ConcurrentHashMap<>();

    /** The right to work on a key, given back by {@link #close()} on the thread that took it. */
    public final class Held implements AutoCloseable {
        private final K key;
        private final Entry entry;

        private Held(K key, Entry entry) {
            this.key = key;
            this.entry = entry;
        }

        @Override
        public void close() {
            entry.lock.unlock();
            leave(key);
        }
    }

    /** Waits for the key and takes it. */
    public Held lock(K key) {
        Entry entry = enter(key);
        entry.lock.lock();
        return new Held(key, entry);
    }

    /**
     * Waits for the key and takes it.
     *
     * @throws RuntimeFault CANCELLED when the thread is interrupted: callers that have gone do not queue up behind a holder
     *     that hangs
     */
    public Held lockInterruptibly(K key) {
        Entry entry = enter(key);
        try {
            entry.lock.lockInterruptibly();
        } catch (InterruptedException e) {
            leave(key);
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait for " + key + ": the caller has gone", e);
        }
        return new Held(key, entry);
    }

    /** Takes the key if nobody else holds it. */
    public Optional<Held> tryLock(K key) {
        Entry entry = enter(key);
        if (entry.lock.tryLock()) {
            return Optional.of(new Held(key, entry));
        }
        leave(key);
        return Optional.empty();
    }

    private Entry enter(K key) {
        return entries.compute(key, (k, e) -> {
            Entry used = e == null ? new Entry() : e;
            used.users++;
            return used;
        });
    }

    private void leave(K key) {
        entries.computeIfPresent(key, (k, e) -> --e.users == 0 ? null : e);
    }

    /** Keys that are held or waited for. */
    public int size() {
        return entries.size();
    }
}
