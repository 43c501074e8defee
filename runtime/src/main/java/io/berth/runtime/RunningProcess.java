package io.berth.runtime;

import io.berth.linux.Fd;
import java.util.Optional;

/**
 * A process with its input and output at Berth. Owned by one caller, who closes it; {@link #kill} may come from any thread.
 * Methods block their thread, which must be a platform thread where they may wait.
 */
public interface RunningProcess extends AutoCloseable {

    /** What it prints: its terminal, or its standard output. Whether there is more is for {@link Fd#read} to say. */
    Fd output();

    /** Its standard error; empty where that goes to the terminal too. */
    Optional<Fd> errors();

    /** Gives it input; a process without an input ignores that. */
    void write(byte[] bytes, int count);

    /** Ends its input; on a terminal it reads the end-of-file character. */
    void endInput();

    /** Tells its terminal the new size. */
    void resize(int rows, int columns);

    /** Waits for its end; the exit code. */
    int await();

    /** Kills it and what it started. */
    void kill();

    /**
     * Tells a program that never ran from one that failed.
     *
     * @param printed what it printed
     * @throws io.berth.base.RuntimeFault when it never ran
     */
    void refuseFailedStart(int exitCode, String printed);

    @Override
    void close();
}
