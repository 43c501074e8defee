package io.berth.shim;

import io.berth.linux.Fd;
import io.berth.linux.Fifo;
import io.berth.runtime.RuntimeWords;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a shim logs, by the named pipe {@code log} in its bundle, which it opens at its start and would block on without a
 * reader. Goes to Berth's log at debug level; the last words are kept for errors. Owns a thread until {@link #close}.
 */
final class ShimLog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ShimLog.class);
    private static final int KEPT = 1000;

    private final String sandboxId;
    private final Fd pipe;
    private String last = "";
    private volatile boolean ended;

    ShimLog(String sandboxId, Path bundle) {
        this.sandboxId = sandboxId;
        Fifo.make(bundle.resolve("log"));
        // Both sides, so that it does not end before the shim has opened it.
        this.pipe = Fifo.openBoth(bundle.resolve("log"));
        Thread.ofPlatform().name("shim log").daemon().stackSize(192 * 1024).start(this::read);
    }

    private void read() {
        byte[] buffer = new byte[4096];
        try (pipe) {
            int count = pipe.read(buffer, 0, buffer.length);
            while (count > 0 && !ended) {
                String words = new String(buffer, 0, count, StandardCharsets.UTF_8);
                keep(words);
                LOG.atDebug().addKeyValue("pod", sandboxId).addKeyValue("words", words.strip()).log("shim");
                count = pipe.read(buffer, 0, buffer.length);
            }
        }
    }

    private synchronized void keep(String words) {
        String all = last + words;
        last = all.substring(Math.max(0, all.length() - KEPT));
    }

    /** The last error that it told, or what it said last, on one line. */
    synchronized String lastWords() {
        return last.isBlank() ? "" : RuntimeWords.plain(last);
    }

    @Override
    public void close() {
        if (!ended) {
            ended = true;
            // Wakes the reader, which closes the pipe.
            pipe.write(new byte[] {'\n'}, 0, 1);
        }
    }
}
