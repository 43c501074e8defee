package io.berth.server.console;

import java.io.OutputStream;
import java.util.ArrayDeque;

/**
 * The feeds of open pages. With more than {@value #LIMIT} the oldest ends: a page on a laptop that sleeps must not keep a new
 * one out. Thread-safe.
 */
final class Feeds implements AutoCloseable {

    static final int LIMIT = 8;

    private final ConsoleSources sources;
    private final RecentEvents events;
    private final UsageHistory usage;
    private final NodeFindings findings;
    private final ArrayDeque<Thread> open = new ArrayDeque<>();
    private boolean closed;

    Feeds(ConsoleSources sources, RecentEvents events) {
        this.sources = sources;
        this.events = events;
        this.usage = new UsageHistory(sources.node());
        this.findings = new NodeFindings(sources);
    }

    /** Feeds one page until it goes, the daemon ends, or too many newer ones have come. */
    void feed(OutputStream out) {
        if (begin()) {
            try {
                new LiveFeed(sources, events, usage, findings, new JsonLines(out)).run();
            } finally {
                end();
            }
        }
    }

    private synchronized boolean begin() {
        if (closed) {
            return false;
        }
        if (open.size() >= LIMIT) {
            open.removeFirst().interrupt();
        }
        open.addLast(Thread.currentThread());
        return true;
    }

    private synchronized void end() {
        open.remove(Thread.currentThread());
        // The thread is this request's alone, but what closes the exchange must not find it interrupted.
        Thread.interrupted();
    }

    @Override
    public synchronized void close() {
        closed = true;
        open.forEach(Thread::interrupt);
    }
}
