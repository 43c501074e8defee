package io.berth.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A netlink request under construction: the header, the family's fixed part, then attributes, which may nest. Not
 * thread-safe. Numbers are in the machine's byte order but for the {@code big} ones (nf_tables).
 *
 * <p>Source: netlink(7), the kernel's Documentation/userspace-api/netlink/intro.rst.
 */
final class NetlinkMessage {

    static final int HEADER_BYTES = 16;
    static final int REQUEST = 0x1;
    static final int ACK = 0x4;
    static final int DUMP = 0x300;
    static final int REPLACE = 0x100;
    static final int EXCLUSIVE = 0x200;
    static final int CREATE = 0x400;
    static final int APPEND = 0x800;
    private static final int NESTED = 0x8000;

    private final String action;
    private ByteBuffer buffer = ByteBuffer.allocate(512).order(ByteOrder.nativeOrder());

    /** @param action "action object", the beginning of the message of a fault */
    NetlinkMessage(String action, int type, int flags) {
        this.action = action;
        buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(0).putInt(0);
    }

    String action() {
        return action;
    }

    NetlinkMessage u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    NetlinkMessage u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    NetlinkMessage u32(int value) {
        room(4).putInt(value);
        return this;
    }

    NetlinkMessage attribute(int type, byte[] value) {
        room(4).putShort((short) (4 + value.length)).putShort((short) type);
        room(value.length).put(value);
        return pad();
    }

    NetlinkMessage attribute8(int type, int value) {
        return attribute(type, new byte[] {(byte) value});
    }

    NetlinkMessage attribute32(int type, int value) {
        return attribute(type, ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array());
    }

    NetlinkMessage big16(int type, int value) {
        return attribute(type, ByteBuffer.allocate(2).putShort((short) value).array());
    }

    NetlinkMessage big32(int type, int value) {
        return attribute(type, ByteBuffer.allocate(4).putInt(value).array());
    }

    NetlinkMessage big64(int type, long value) {
        return attribute(type, ByteBuffer.allocate(8).putLong(value).array());
    }

    /** A text with the zero byte that the kernel wants at its end. */
    NetlinkMessage attribute(int type, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return attribute(type, Arrays.copyOf(bytes, bytes.length + 1));
    }

    /** An attribute that holds attributes. */
    NetlinkMessage nest(int type, Consumer<NetlinkMessage> content) {
        int start = buffer.position();
        room(4).putShort((short) 0).putShort((short) (type | NESTED));
        content.accept(this);
        buffer.putShort(start, (short) (buffer.position() - start));
        return this;
    }

    /** The finished message, of which the length, {@code sequence} and {@code moreFlags} are filled in. */
    byte[] bytes(int sequence, int moreFlags) {
        buffer.putInt(0, buffer.position());
        buffer.putShort(6, (short) (buffer.getShort(6) | moreFlags));
        buffer.putInt(8, sequence);
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    private NetlinkMessage pad() {
        int rest = -buffer.position() & 3;
        room(rest).put(new byte[rest]);
        return this;
    }

    private ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            buffer = ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + bytes))
                    .order(ByteOrder.nativeOrder())
                    .put(buffer.flip());
        }
        return buffer;
    }
}
