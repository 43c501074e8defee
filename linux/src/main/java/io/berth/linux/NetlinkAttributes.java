package io.berth.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** The attributes of a netlink answer by their type; of a repeated type the last. Immutable. Source: netlink(7). */
record NetlinkAttributes(Map<Integer, byte[]> byType) {

    private static final int TYPE_MASK = 0x3fff;

    /** Reads attributes from {@code bytes} on; a length that cannot be ends the reading. */
    static NetlinkAttributes read(byte[] bytes, int from) {
        Map<Integer, byte[]> found = new LinkedHashMap<>();
        walk(bytes, from, found::put);
        return new NetlinkAttributes(found);
    }

    /** The values of a list attribute, in which all entries have the same type. */
    static List<byte[]> list(byte[] bytes) {
        List<byte[]> found = new ArrayList<>();
        walk(bytes, 0, (type, value) -> found.add(value));
        return found;
    }

    private static void walk(byte[] bytes, int from, BiConsumer<Integer, byte[]> sink) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        int at = from;
        while (at + 4 <= bytes.length) {
            int length = Short.toUnsignedInt(buffer.getShort(at));
            if (length < 4 || at + length > bytes.length) {
                return;
            }
            byte[] value = new byte[length - 4];
            buffer.get(at + 4, value);
            sink.accept(buffer.getShort(at + 2) & TYPE_MASK, value);
            at += (length + 3) & ~3;
        }
    }

    boolean has(int type) {
        return byType.containsKey(type);
    }

    /** The bytes, none when the attribute is missing. */
    byte[] bytes(int type) {
        return byType.getOrDefault(type, new byte[0]);
    }

    NetlinkAttributes nested(int type) {
        return read(bytes(type), 0);
    }

    /** The number in the machine's byte order, 0 when the attribute is missing. */
    int number(int type) {
        byte[] value = bytes(type);
        return value.length < 4 ? 0 : ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
    }

    /** The text without its zero byte, empty when the attribute is missing. */
    String text(int type) {
        byte[] value = bytes(type);
        int length = value.length;
        while (length > 0 && value[length - 1] == 0) {
            length--;
        }
        return new String(value, 0, length, StandardCharsets.UTF_8);
    }
}
