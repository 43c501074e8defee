package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Tells the service manager how a daemon is doing. Source: sd_notify(3). */
public final class ServiceNotification {

    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int PATH_BYTES = 108;

    private ServiceNotification() {}

    /** Sends {@code state}, such as {@code READY=1}; nothing happens when no service manager has asked for it. */
    public static void send(String state) {
        String socket = System.getenv("NOTIFY_SOCKET");
        if (socket == null || socket.isEmpty()) {
            return;
        }
        byte[] path = socket.getBytes(StandardCharsets.UTF_8);
        if (path.length >= PATH_BYTES) {
            return;
        }
        if (path[0] == '@') {
            path[0] = 0;
        }
        try (Arena arena = Arena.ofConfined();
                Fd fd = new Fd((int) Kernel.check(
                        Kernel.tryCall(SystemCall.SOCKET, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0), "open", "socket"))) {
            MemorySegment address = arena.allocate(2 + PATH_BYTES, 8);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, 2, path.length);
            byte[] message = state.getBytes(StandardCharsets.UTF_8);
            MemorySegment text = arena.allocate(message.length);
            MemorySegment.copy(message, 0, text, ValueLayout.JAVA_BYTE, 0, message.length);
            Kernel.check(Kernel.tryCall(SystemCall.SENDTO, fd.number(), text.address(), message.length, 0,
                    address.address(), 2L + path.length), "notify", socket);
        }
    }
}
