package io.berth.snapshot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Writes tar archives by hand, also such as no honest tool would write. */
final class TarBytes {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    TarBytes directory(String name, int mode) {
        return entry('5', name, "", mode, 0, 0, new byte[0]);
    }

    TarBytes file(String name, String content) {
        return entry('0', name, "", 0644, 0, 0, content.getBytes(StandardCharsets.UTF_8));
    }

    TarBytes symlink(String name, String target) {
        return entry('2', name, target, 0777, 0, 0, new byte[0]);
    }

    TarBytes hardLink(String name, String target) {
        return entry('1', name, target, 0644, 0, 0, new byte[0]);
    }

    TarBytes entry(char type, String name, String link, int mode, int uid, int gid, byte[] content) {
        return entry(type, name, link, mode, uid, gid, content, content.length, 0, 0);
    }

    TarBytes device(char type, String name, int major, int minor) {
        return entry(type, name, "", 0600, 0, 0, new byte[0], 0, major, minor);
    }

    TarBytes entry(char type, String name, String link, int mode, int uid, int gid, byte[] content, long size, int major,
            int minor) {
        byte[] block = new byte[512];
        put(block, 0, 100, name);
        put(block, 100, 8, String.format("%07o", mode));
        put(block, 108, 8, String.format("%07o", uid));
        put(block, 116, 8, String.format("%07o", gid));
        put(block, 124, 12, String.format("%011o", size));
        put(block, 136, 12, String.format("%011o", 1_000_000_000));
        block[156] = (byte) type;
        put(block, 157, 100, link);
        put(block, 257, 8, "ustar\00000");
        put(block, 329, 8, String.format("%07o", major));
        put(block, 337, 8, String.format("%07o", minor));
        int sum = 8 * ' ';
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? 0 : block[i] & 0xff;
        }
        put(block, 148, 8, String.format("%06o\0 ", sum));
        out.writeBytes(block);
        out.writeBytes(content);
        out.writeBytes(new byte[-content.length & 511]);
        return this;
    }

    TarBytes pax(Map<String, String> records) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        records.forEach((key, value) -> {
            byte[] body = (" " + key + "=" + value + "\n").getBytes(StandardCharsets.ISO_8859_1);
            int length = body.length + 1;
            while (String.valueOf(length).length() + body.length != length) {
                length++;
            }
            text.writeBytes(String.valueOf(length).getBytes(StandardCharsets.US_ASCII));
            text.writeBytes(body);
        });
        return entry('x', "pax", "", 0644, 0, 0, text.toByteArray());
    }

    byte[] bytes() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(out.toByteArray());
        whole.writeBytes(new byte[1024]);
        return whole.toByteArray();
    }

    private static void put(byte[] block, int at, int length, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, block, at, Math.min(length, bytes.length));
    }
}
