package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Connected unix sockets as plain descriptors, for a child process to inherit. Source: unix(7). */
public final class UnixSocket {

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 02000000;

    private UnixSocket() {}

    /** Connects a byte stream to the socket {@code path}, however long its path is. The caller owns the descriptor. */
    public static Fd connectStream(Path path) {
        return connect(path, SOCK_STREAM);
    }

    static Fd connect(Path path, int type) {
        Fd fd = new Fd((int) Kernel.check(
                Kernel.tryCall(SystemCall.SOCKET, AF_UNIX, type | SOCK_CLOEXEC, 0, 0), "open", "socket"));
        // An address holds 107 bytes; the way through an open directory is always short.
        try (Arena arena = Arena.ofConfined(); Fd directory = Fd.openDirectory(path.getParent())) {
            byte[] name = directory.procPath().resolve(path.getFileName()).toString().getBytes(StandardCharsets.UTF_8);
            MemorySegment address = arena.allocate(2L + 108, 8);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, 2, name.length);
            Kernel.check(Kernel.tryCall(SystemCall.CONNECT, fd.number(), address.address(), 2L + name.length + 1, 0),
                    "connect to", path);
            return fd;
        } catch (RuntimeException failure) {
            fd.close();
            throw failure;
        }
    }
}
