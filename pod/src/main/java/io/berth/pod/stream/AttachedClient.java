package io.berth.pod.stream;

import io.berth.base.RuntimeFault;
import io.berth.streaming.StalledClient;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/**
 * Carries a container's output to one attached client, on a thread of its own.
 *
 * <p>A container's monitor writes the log and feeds all who are attached on one thread, and waits for whoever does not
 * read. So the monitor's side is read on while a client is slow, up to {@value #LIMIT_BYTES} bytes ahead; a client that then
 * takes nothing for {@link #PATIENCE} is cut, so that the container and its log go on. Owned by the thread that reads.
 */
final class AttachedClient implements AutoCloseable {

    /** How far a client may be behind before the container is held back for it. */
    static final int LIMIT_BYTES = 256 * 1024;
    /** How long a container is held back for a client that takes nothing. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private record Packet(OutputStream target, byte[] bytes) {}

    private final String container;
    private final Deque<Packet> packets = new ArrayDeque<>();
    private final Thread carrier;
    private int waitingBytes;
    private boolean ended;
    private Optional<IOException> gone = Optional.empty();

    /** @param container its id, for messages */
    AttachedClient(String container) {
        this.container = container;
        this.carrier = Thread.ofVirtual().name("attached-client").start(this::carry);
    }

    /**
     * Takes what is to be written to {@code target}.
     *
     * @throws StalledClient when the client has stopped reading
     * @throws IOException when it has gone
     */
    synchronized void put(OutputStream target, byte[] buffer, int from, int length) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (waitingBytes > 0 && waitingBytes + length > LIMIT_BYTES && gone.isEmpty()) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new StalledClient("attach to container " + container + ": the client has read nothing for "
                        + PATIENCE.toSeconds() + " s: it is cut off so that the container can go on");
            }
            await(left / 1_000_000 + 1);
        }
        if (gone.isPresent()) {
            throw gone.get();
        }
        packets.add(new Packet(target, Arrays.copyOfRange(buffer, from, from + length)));
        waitingBytes += length;
        notifyAll();
    }

    /** Waits until the client has everything or has gone. */
    void finish() {
        synchronized (this) {
            ended = true;
            notifyAll();
        }
        Pumps.join(carrier);
    }

    /** Gives up what the client has not taken. */
    @Override
    public synchronized void close() {
        ended = true;
        packets.clear();
        notifyAll();
    }

    private void carry() {
        try {
            for (Optional<Packet> next = take(); next.isPresent(); next = take()) {
                OutputStream target = next.get().target();
                target.write(next.get().bytes());
                target.flush();
                taken(next.get().bytes().length);
            }
        } catch (IOException | RuntimeFault failure) {
            synchronized (this) {
                gone = Optional.of(failure instanceof IOException left ? left : new IOException(failure));
                notifyAll();
            }
        }
    }

    private synchronized Optional<Packet> take() {
        while (packets.isEmpty() && !ended) {
            await(0);
        }
        return Optional.ofNullable(packets.poll());
    }

    private synchronized void taken(int bytes) {
        waitingBytes -= bytes;
        notifyAll();
    }

    private void await(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "attach to container " + container + ": interrupted", e);
        }
    }
}
