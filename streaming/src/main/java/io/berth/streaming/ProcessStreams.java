package io.berth.streaming;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The client's ends of a process's standard streams. Thread-safe; each stream is meant for one thread.
 *
 * <p>A stream is present when the request asked for it. Closing an output ends it for the client (half-close); closing
 * the input discards what the client still sends.
 */
public interface ProcessStreams {

    /** What the client types; ends with -1 at the client's half-close and throws when the client has vanished. */
    Optional<InputStream> stdin();

    Optional<OutputStream> stdout();

    /** Absent with a terminal. */
    Optional<OutputStream> stderr();

    /**
     * Tells {@code listener} the client's terminal size: the newest known one at once, then every change. Sizes that
     * follow faster than the listener works are merged. One listener, one call at a time, on the server's executor.
     */
    void onResize(Consumer<TerminalSize> listener);

    /**
     * Runs {@code action} on the server's executor when the client vanishes before the call has returned; at once when
     * it already has. A call that returns because its own write failed may be ahead of the signal.
     */
    void onClose(Runnable action);
}
