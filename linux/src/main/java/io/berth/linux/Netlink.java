package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A netlink socket. It belongs to the network namespace of the thread that opens it for as long as it is open, whichever
 * thread uses it: {@code Namespaces.in(netns, Netlink::route)} gives one into another namespace.
 *
 * <p>The kernel carries a request out before the sending call returns, so its answers are there at once; the call may wait
 * for the kernel's lock on network interfaces, for some ten milliseconds when namespaces end. Thread-safe: one request at
 * a time. The caller closes it. Source: netlink(7), rtnetlink(7).
 */
public final class Netlink implements AutoCloseable {

    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int SOL_NETLINK = 270;
    private static final int NETLINK_CAP_ACK = 10;
    private static final int NETLINK_EXT_ACK = 11;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int ROUTE = 0;
    private static final int NETFILTER = 12;
    private static final int TYPE_ERROR = 2;
    private static final int TYPE_DONE = 3;
    private static final int FLAG_ACK_TLVS = 0x200;
    private static final int ERROR_TEXT = 1;
    /** The kernel cuts its dumps into pieces of at most this size. */
    private static final int RECEIVE_BYTES = 64 * 1024;

    /** An answer that is neither an acknowledgement nor the end of a dump: its type and what follows the header. */
    record Answer(int type, byte[] payload) {}

    private record Received(int type, int flags, int sequence, byte[] payload) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Fd socket;
    private int sequence = 1;

    private Netlink(int protocol) {
        long number = Kernel.tryCall(SystemCall.SOCKET, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol, 0);
        socket = new Fd((int) Kernel.check(number, "open", "netlink socket " + protocol));
        enable(NETLINK_CAP_ACK);
        enable(NETLINK_EXT_ACK);
    }

    /** Links, addresses and routes of the calling thread's network namespace. */
    public static Netlink route() {
        return new Netlink(ROUTE);
    }

    /** nf_tables of the calling thread's network namespace. */
    public static Netlink netfilter() {
        return new Netlink(NETFILTER);
    }

    // Only makes error texts better: older kernels without the option are no failure.
    private void enable(int option) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment on = arena.allocate(4, 4);
            on.set(ValueLayout.JAVA_INT, 0, 1);
            Kernel.tryCall(SystemCall.SETSOCKOPT, socket.number(), SOL_NETLINK, option, on.address(), 4, 0);
        }
    }

    /** Sends a request and waits for its acknowledgement. */
    void request(NetlinkMessage message) {
        batch(List.of(message), false);
    }

    /** Sends a request and takes its one answer. */
    Answer query(NetlinkMessage message) {
        lock.lock();
        try {
            int own = sequence++;
            send(message.bytes(own, NetlinkMessage.REQUEST));
            for (Received one : drain()) {
                if (one.sequence == own) {
                    failOnError(one, message);
                    return new Answer(one.type, one.payload);
                }
            }
            throw new NetlinkFault(message.action(), Errno.EIO, "no answer");
        } finally {
            lock.unlock();
        }
    }

    /** Sends a dump request and takes all answers. */
    List<Answer> dump(NetlinkMessage message) {
        lock.lock();
        try {
            int own = sequence++;
            send(message.bytes(own, NetlinkMessage.REQUEST | NetlinkMessage.DUMP));
            List<Answer> answers = new ArrayList<>();
            while (true) {
                for (Received one : receive(0)) {
                    if (one.sequence != own) {
                        continue;
                    }
                    failOnError(one, message);
                    if (one.type == TYPE_DONE) {
                        return answers;
                    }
                    answers.add(new Answer(one.type, one.payload));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sends {@code messages} in one call. The kernel answers each that fails; of a transaction only the last that changes
     * something is acknowledged, since hundreds of acknowledgements would not fit into the socket's buffer.
     *
     * @param framed whether the first and the last are the frame of an nf_tables transaction
     */
    void batch(List<NetlinkMessage> messages, boolean framed) {
        lock.lock();
        try {
            int first = sequence;
            sequence += messages.size();
            List<byte[]> parts = new ArrayList<>();
            for (int i = 0; i < messages.size(); i++) {
                boolean acknowledged = !framed || i == messages.size() - 2;
                int ack = acknowledged ? NetlinkMessage.ACK : 0;
                parts.add(messages.get(i).bytes(first + i, NetlinkMessage.REQUEST | ack));
            }
            send(joined(parts));
            int missing = framed ? 1 : messages.size();
            for (Received one : drain()) {
                int index = one.sequence - first;
                if (index >= 0 && index < messages.size()) {
                    failOnError(one, messages.get(index));
                    missing--;
                }
            }
            if (missing > 0) {
                throw new NetlinkFault(messages.getFirst().action(), Errno.EIO, missing + " acknowledgements are missing");
            }
        } finally {
            lock.unlock();
        }
    }

    private static void failOnError(Received one, NetlinkMessage message) {
        if (one.type != TYPE_ERROR) {
            return;
        }
        ByteBuffer content = ByteBuffer.wrap(one.payload).order(ByteOrder.nativeOrder());
        int errno = -content.getInt();
        if (errno != 0) {
            boolean explained = (one.flags & FLAG_ACK_TLVS) != 0;
            String text = explained
                    ? NetlinkAttributes.read(one.payload, 4 + NetlinkMessage.HEADER_BYTES).text(ERROR_TEXT) : "";
            throw new NetlinkFault(message.action(), errno, text);
        }
    }

    private static byte[] joined(List<byte[]> parts) {
        ByteBuffer all = ByteBuffer.allocate(parts.stream().mapToInt(part -> part.length + 3 & ~3).sum());
        for (byte[] part : parts) {
            all.put(part).position(all.position() + 3 & ~3);
        }
        return all.array();
    }

    private void send(byte[] message) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_BYTE, message);
            MemorySegment kernel = arena.allocate(12, 4);
            kernel.set(ValueLayout.JAVA_SHORT, 0, (short) AF_NETLINK);
            long sent;
            do {
                sent = Kernel.tryCall(
                        SystemCall.SENDTO, socket.number(), source.address(), message.length, 0, kernel.address(), 12);
            } while (sent == -Errno.EINTR);
            Kernel.check(sent, "send", "netlink request");
        }
    }

    /** All answers that are there. */
    private List<Received> drain() {
        List<Received> all = new ArrayList<>();
        List<Received> part = receive(MSG_DONTWAIT);
        while (!part.isEmpty()) {
            all.addAll(part);
            part = receive(MSG_DONTWAIT);
        }
        return all;
    }

    private List<Received> receive(int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(RECEIVE_BYTES, 8);
            long count;
            do {
                count = Kernel.tryCall(
                        SystemCall.RECVFROM, socket.number(), target.address(), RECEIVE_BYTES, flags, 0, 0);
            } while (count == -Errno.EINTR);
            if (count == -Errno.EAGAIN) {
                return List.of();
            }
            Kernel.check(count, "receive", "netlink answer");
            return split(target.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    private static List<Received> split(byte[] datagram) {
        ByteBuffer buffer = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
        List<Received> found = new ArrayList<>();
        int at = 0;
        while (at + NetlinkMessage.HEADER_BYTES <= datagram.length) {
            int length = buffer.getInt(at);
            if (length < NetlinkMessage.HEADER_BYTES || at + length > datagram.length) {
                break;
            }
            byte[] payload = new byte[length - NetlinkMessage.HEADER_BYTES];
            buffer.get(at + NetlinkMessage.HEADER_BYTES, payload);
            found.add(new Received(
                    buffer.getShort(at + 4) & 0xffff, buffer.getShort(at + 6), buffer.getInt(at + 8), payload));
            at += length + 3 & ~3;
        }
        return found;
    }

    @Override
    public void close() {
        socket.close();
    }
}
