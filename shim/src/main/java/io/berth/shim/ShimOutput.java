package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Fifo;
import io.berth.runtime.Attachment;
import io.berth.runtime.ContainerRuntime.NewContainer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries what a container prints to its log and to attached clients, on a thread for each stream. Thread-safe. */
final class ShimOutput {

    private static final Logger LOG = LoggerFactory.getLogger(ShimOutput.class);
    private static final int STACK_BYTES = 192 * 1024;
    private static final int BUFFER_BYTES = 16 * 1024;
    /** What it printed last is there when it ends; who else still holds the pipe does not count. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    private final NewContainer described;
    private final CriLog log;
    private final List<ShimClient> clients = new CopyOnWriteArrayList<>();
    private final List<Thread> carriers = new ArrayList<>();
    private Optional<Fd> stdout = Optional.empty();
    private Optional<Fd> stderr = Optional.empty();
    private boolean finished;

    ShimOutput(NewContainer described) {
        this.described = described;
        this.log = new CriLog(described.id(), described.log());
    }

    /** Opens the log and Berth's sides of the pipes, which are there. */
    synchronized void open() {
        log.open();
        stdout = Optional.of(Fifo.openReader(pipe("stdout")));
        if (!described.terminal()) {
            stderr = Optional.of(Fifo.openReader(pipe("stderr")));
        }
    }

    private Path pipe(String name) {
        return described.bundle().resolve(name);
    }

    /** Begins; the shim has opened its sides. */
    synchronized void carry() {
        stdout.ifPresent(pipe -> carry("stdout", Attachment.STDOUT, pipe));
        stderr.ifPresent(pipe -> carry("stderr", Attachment.STDERR, pipe));
    }

    private void carry(String name, int stream, Fd pipe) {
        carriers.add(Thread.ofPlatform().name("container " + name).daemon().stackSize(STACK_BYTES).start(() -> {
            byte[] buffer = new byte[BUFFER_BYTES];
            try (pipe) {
                int count = pipe.read(buffer, 0, buffer.length);
                while (count >= 0) {
                    log.write(name, buffer, count);
                    pass(stream, buffer, count);
                    count = pipe.read(buffer, 0, buffer.length);
                }
            } catch (IllegalStateException | RuntimeFault closed) {
                LOG.atDebug().addKeyValue("container", described.id()).log("output given up: something else holds the pipe");
            }
        }));
    }

    private void pass(int stream, byte[] bytes, int count) {
        for (ShimClient client : clients) {
            if (!client.take(stream, bytes, count)) {
                clients.remove(client);
            }
        }
    }

    /** The container has ended: waits for the last of its output, then ends log and clients. Idempotent. */
    void finish() {
        List<Thread> running;
        synchronized (this) {
            if (finished) {
                return;
            }
            finished = true;
            running = List.copyOf(carriers);
        }
        running.forEach(ShimOutput::join);
        stdout.ifPresent(Fd::close);
        stderr.ifPresent(Fd::close);
        clients.forEach(ShimClient::finish);
        log.close();
    }

    private static void join(Thread carrier) {
        try {
            carrier.join(DRAIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void reopenLog() {
        log.open();
    }

    synchronized Attachment join(ShimClient client) {
        clients.add(client);
        if (finished) {
            client.end();
        }
        return client;
    }

    void leave(ShimClient client) {
        clients.remove(client);
    }
}
