package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A connected unix socket that keeps packets apart (SOCK_SEQPACKET), as conmon's attach socket is. The JDK has none. Owned
 * and closed by who connected it; reads block, so they belong on platform threads. Source: unix(7).
 */
public final class PacketSocket implements AutoCloseable {

    private static final int SOCK_SEQPACKET = 5;
    private static final int SHUT_WR = 1;
    private static final int SHUT_RDWR = 2;
    private static final int MSG_NOSIGNAL = 0x4000;

    private final Fd fd;

    private PacketSocket(Fd fd) {
        this.fd = fd;
    }

    /** Connects to the socket {@code path}, however long its path is. */
    public static PacketSocket connect(Path path) {
        return new PacketSocket(UnixSocket.connect(path, SOCK_SEQPACKET));
    }

    /** The next packet's length in {@code buffer}, or -1 at the end. */
    public int receive(byte[] buffer) {
        return fd.read(buffer, 0, buffer.length);
    }

    /** Sends one packet. */
    public void send(byte[] buffer, int offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, length));
            MemorySegment.copy(buffer, offset, bytes, ValueLayout.JAVA_BYTE, 0, length);
            long sent;
            do {
                sent = Kernel.tryCall(SystemCall.SENDTO, fd.number(), bytes.address(), length, MSG_NOSIGNAL, 0, 0);
            } while (sent == -Errno.EINTR);
            Kernel.check(sent, "send to", "socket");
        }
    }

    /** Tells the other side that nothing more comes. */
    public void endOutput() {
        Kernel.tryCall(SystemCall.SHUTDOWN, fd.number(), SHUT_WR);
    }

    /** Ends both directions, which wakes a thread that waits in {@link #receive}. */
    public void end() {
        Kernel.tryCall(SystemCall.SHUTDOWN, fd.number(), SHUT_RDWR);
    }

    @Override
    public void close() {
        fd.close();
    }
}
