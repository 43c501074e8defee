package io.berth.runtime;

/**
 * A client of a container's first process. From its making on nothing of the output is missed. Owned by one caller, who
 * closes it; {@link #end} may come from any thread. Methods block their thread, which must be a platform thread.
 */
public interface Attachment extends AutoCloseable {

    /** The most that one packet holds, with the byte for its stream. */
    int PACKET_BYTES = 8192 + 1;
    /** The first byte of a packet of standard output, or of a terminal. */
    int STDOUT = 2;
    /** The first byte of a packet of standard error. */
    int STDERR = 3;

    /** The next packet's length in {@code packet}, its stream in the first byte; -1 at the end. */
    int receive(byte[] packet);

    /** Gives the process input, at most {@link #PACKET_BYTES} - 1 bytes at once. */
    void send(byte[] bytes, int offset, int length);

    /** The client has ended its input. */
    void endInput();

    /** Tells the container's terminal its new size. */
    void resize(int rows, int columns);

    /** Wakes a thread that waits in {@link #receive}. */
    void end();

    @Override
    void close();
}
