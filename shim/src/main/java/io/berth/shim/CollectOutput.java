package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.linux.Fd;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** Waits for a process and keeps what it prints, up to a limit; the rest is read and dropped, so that it never blocks. */
final class CollectOutput {

    private static final int STACK_BYTES = 192 * 1024;
    /** What the process printed last is there when it ends; who else still holds the pipe does not count. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    private final Fd source;
    private final int limit;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream(256);
    private final Thread thread;
    private boolean dropped;

    private CollectOutput(Fd source, int limit) {
        this.source = source;
        this.limit = limit;
        this.thread = Thread.ofPlatform().name("collect").daemon().stackSize(STACK_BYTES).start(this::read);
    }

    /** On a platform thread, which waits. */
    static Command.Output of(ShimProcess process, Duration limit, int outputBytes) {
        CollectOutput out = new CollectOutput(process.output(), outputBytes);
        Optional<CollectOutput> err = process.errors().map(errors -> new CollectOutput(errors, outputBytes));
        OptionalInt code = await(process, limit);
        if (code.isEmpty()) {
            process.kill();
            throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "run a process: it took longer than "
                    + limit.toMillis() + " ms and was killed");
        }
        byte[] stdout = out.end();
        byte[] stderr = err.map(CollectOutput::end).orElse(new byte[0]);
        boolean cut = out.wasCut() || err.map(CollectOutput::wasCut).orElse(false);
        return new Command.Output(code.getAsInt(), stdout, stderr, cut);
    }

    // Interruption ends it: nobody waits for it any more.
    private static OptionalInt await(ShimProcess process, Duration limit) {
        try {
            return process.await(limit);
        } catch (RuntimeFault ended) {
            if (ended.kind() == RuntimeFault.Kind.CANCELLED) {
                Thread.interrupted();
                process.kill();
            }
            throw ended;
        }
    }

    private void read() {
        byte[] buffer = new byte[8192];
        try {
            int count = source.read(buffer, 0, buffer.length);
            while (count >= 0) {
                keep(buffer, count);
                count = source.read(buffer, 0, buffer.length);
            }
        } catch (IllegalStateException | RuntimeFault closed) {
            // Something else holds the pipe; the process itself has ended.
        }
    }

    private synchronized void keep(byte[] bytes, int count) {
        int fits = Math.min(count, limit - kept.size());
        kept.write(bytes, 0, fits);
        dropped |= fits < count;
    }

    private byte[] end() {
        try {
            thread.join(DRAIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            return kept.toByteArray();
        }
    }

    private synchronized boolean wasCut() {
        return dropped;
    }
}
