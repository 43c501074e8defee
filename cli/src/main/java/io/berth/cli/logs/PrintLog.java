package io.berth.cli.logs;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Prints a container's log as the container wrote it: each stream to its own, partial lines joined.
 *
 * @param since older lines are left out
 * @param tail begin with the last so many lines; negative for all
 * @param timestamps the time in front of each line
 */
public record PrintLog(Optional<Instant> since, long tail, boolean timestamps, OutputStream stdout, OutputStream stderr) {

    private static final long LOOK_MILLIS = 100;

    /**
     * Prints what is there, and goes on for as long as {@code more} says, looking ten times a second.
     *
     * @param more whether the container may still write; asked before each look at the file, so that nothing is missed
     */
    public void print(Path path, BooleanSupplier more) throws InterruptedException {
        try (LogFile log = LogFile.open(path, tail)) {
            // Whether the last piece of stdout, stderr was a partial one: its rest has no time of its own.
            boolean[] within = new boolean[2];
            boolean goesOn;
            do {
                goesOn = more.getAsBoolean();
                for (Optional<byte[]> line = log.next(); line.isPresent(); line = log.next()) {
                    write(line.get(), within);
                }
                stdout.flush();
                stderr.flush();
                if (goesOn) {
                    Thread.sleep(LOOK_MILLIS);
                }
            } while (goesOn);
        } catch (IOException e) {
            throw RuntimeFault.internal("print log " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void write(byte[] raw, boolean[] within) throws IOException {
        Optional<LogLine> parsed = LogLine.parse(raw);
        if (parsed.isEmpty()) {
            // Not ours: better shown as it is than lost.
            stdout.write(raw);
            stdout.write('\n');
            return;
        }
        LogLine line = parsed.get();
        if (since.isPresent() && line.time().isBefore(since.get())) {
            return;
        }
        int stream = line.stderr() ? 1 : 0;
        OutputStream out = line.stderr() ? stderr : stdout;
        if (timestamps && !within[stream]) {
            out.write((line.time() + " ").getBytes(StandardCharsets.US_ASCII));
        }
        out.write(line.text());
        if (!line.partial()) {
            out.write('\n');
        }
        within[stream] = line.partial();
    }
}
