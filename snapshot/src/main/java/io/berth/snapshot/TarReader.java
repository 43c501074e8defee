package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Reads a tar archive from hostile bytes, one entry after the other: ustar, GNU long names and numbers, pax headers.
 * Every length is bounded before memory is taken for it. Malformed archives fail with kind DATA_LOSS, sparse members
 * with UNSUPPORTED. Used by one thread.
 *
 * <p>Source: POSIX pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar, "Basic Tar Format".
 */
final class TarReader {

    static final char REGULAR = '0';
    static final char HARD_LINK = '1';
    static final char SYMLINK = '2';
    static final char CHARACTER_DEVICE = '3';
    static final char BLOCK_DEVICE = '4';
    static final char DIRECTORY = '5';
    static final char FIFO = '6';

    private static final int BLOCK = 512;
    private static final String XATTR = "SCHILY.xattr.";

    private final InputStream in;
    private final UnpackLimits limits;
    private final byte[] block = new byte[BLOCK];
    private long left;
    private int padding;

    TarReader(InputStream in, UnpackLimits limits) {
        this.in = in;
        this.limits = limits;
    }

    /** The next entry; empty at the end of the archive. What is left of the one before is skipped. */
    Optional<TarEntry> next() throws IOException {
        Map<String, byte[]> pax = new HashMap<>();
        byte[] longName = null;
        byte[] longLink = null;
        for (int headers = 0; headers < 16; headers++) {
            skipRest();
            if (!readBlock() || isZero()) {
                if (headers > 0) {
                    throw bad("it ends after an extended header");
                }
                return Optional.empty();
            }
            checkSum();
            long size = number(124, 12);
            char type = (char) (block[156] & 0xff);
            switch (type) {
                case 'x' -> paxRecords(extension(size), pax);
                case 'g' -> extension(size);
                case 'L' -> longName = untilZero(extension(size));
                case 'K' -> longLink = untilZero(extension(size));
                default -> {
                    return Optional.of(entry(type, size, pax, longName, longLink));
                }
            }
        }
        throw bad("too many extended headers in a row");
    }

    /** Reads content of the current entry; -1 at its end. */
    int read(byte[] buffer) throws IOException {
        if (left == 0) {
            return -1;
        }
        int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (count < 0) {
            throw bad("it ends within a file");
        }
        left -= count;
        return count;
    }

    private TarEntry entry(char rawType, long headerSize, Map<String, byte[]> pax, byte[] longName, byte[] longLink)
            throws IOException {
        byte[] name = pax.getOrDefault("path", longName != null ? longName : headerName());
        byte[] link = pax.getOrDefault("linkpath", longLink != null ? longLink : field(157, 100));
        char type = switch (rawType) {
            case 0, '7' -> name.length > 0 && name[name.length - 1] == '/' ? DIRECTORY : REGULAR;
            case '0', '1', '2', '3', '4', '5', '6' -> rawType;
            default -> throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "unpack layer: an entry of type \""
                    + (rawType > ' ' && rawType < 127 ? rawType : '?') + "\" is not supported"
                    + (rawType == 'S' ? ": build the image without sparse files" : ""));
        };
        if (pax.keySet().stream().anyMatch(key -> key.startsWith("GNU.sparse."))) {
            throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED,
                    "unpack layer: sparse files are not supported: build the image without them");
        }
        if (name.length > limits.pathBytes() || link.length > limits.pathBytes()) {
            throw bad("a path is longer than " + limits.pathBytes() + " bytes");
        }
        // As every reader does: what is no file has no content, whatever its header says.
        long size = type == REGULAR ? paxNumber(pax, "size", headerSize) : 0;
        if (size < 0) {
            throw bad("a file has a negative size");
        }
        left = size;
        padding = (int) (-size & (BLOCK - 1));
        long seconds = number(136, 12);
        int nanos = 0;
        if (pax.containsKey("mtime")) {
            String[] parts = text(pax.get("mtime")).split("\\.", 2);
            seconds = decimal(parts[0]);
            String fraction = parts.length == 2 ? (parts[1] + "000000000").substring(0, 9) : "0";
            nanos = (int) decimal(fraction);
            if (nanos > 0 && parts[0].startsWith("-")) {
                seconds--;
                nanos = 1_000_000_000 - nanos;
            }
        }
        Map<String, byte[]> attributes = new HashMap<>();
        pax.forEach((key, value) -> {
            if (key.startsWith(XATTR)) {
                attributes.put(key.substring(XATTR.length()), value);
            }
        });
        boolean device = type == CHARACTER_DEVICE || type == BLOCK_DEVICE;
        return new TarEntry(type, name, link, (int) number(100, 8) & 07777, paxNumber(pax, "uid", number(108, 8)),
                paxNumber(pax, "gid", number(116, 8)), size, seconds, nanos,
                device ? (int) number(329, 8) : 0, device ? (int) number(337, 8) : 0, attributes);
    }

    private byte[] headerName() {
        byte[] name = field(0, 100);
        boolean posix = block[257] == 'u' && block[258] == 's' && block[259] == 't' && block[260] == 'a'
                && block[261] == 'r' && block[262] == 0;
        byte[] prefix = posix ? field(345, 155) : new byte[0];
        if (prefix.length == 0) {
            return name;
        }
        byte[] whole = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
        whole[prefix.length] = '/';
        System.arraycopy(name, 0, whole, prefix.length + 1, name.length);
        return whole;
    }

    private byte[] extension(long size) throws IOException {
        if (size < 0 || size > limits.headerBytes()) {
            throw bad("an extended header is larger than " + limits.headerBytes() + " bytes");
        }
        byte[] bytes = in.readNBytes((int) size);
        if (bytes.length < size) {
            throw bad("it ends within a header");
        }
        padding = (int) (-size & (BLOCK - 1));
        return bytes;
    }

    private static void paxRecords(byte[] bytes, Map<String, byte[]> into) {
        int at = 0;
        while (at < bytes.length) {
            int length = 0;
            int from = at;
            while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9' && at - from < 8) {
                length = length * 10 + bytes[at++] - '0';
            }
            int end = from + length;
            if (at == from || at >= bytes.length || bytes[at] != ' ' || end > bytes.length || end <= at + 1
                    || bytes[end - 1] != '\n') {
                throw bad("a pax record is malformed");
            }
            int equals = ++at;
            while (equals < end && bytes[equals] != '=') {
                equals++;
            }
            if (equals == at || equals >= end) {
                throw bad("a pax record is malformed");
            }
            String key = new String(bytes, at, equals - at, StandardCharsets.UTF_8);
            byte[] value = Arrays.copyOfRange(bytes, equals + 1, end - 1);
            // An empty value takes an earlier one back.
            if (value.length == 0 && !key.startsWith(XATTR)) {
                into.remove(key);
            } else {
                into.put(key, value);
            }
            at = end;
        }
    }

    private static long paxNumber(Map<String, byte[]> pax, String key, long otherwise) {
        byte[] value = pax.get(key);
        return value == null ? otherwise : decimal(text(value));
    }

    private static long decimal(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw bad("a number in a pax header is malformed");
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Octal digits, or GNU's binary form when the first bit is set. */
    private long number(int from, int length) {
        if ((block[from] & 0x80) != 0) {
            long value = (block[from] & 0x40) != 0 ? -1 : 0;
            for (int i = 0; i < length; i++) {
                int b = i == 0 ? (block[from] & 0x40) != 0 ? block[from] | 0x80 : block[from] & 0x3f : block[from + i];
                if (i < length - 8 && (byte) b != (byte) value) {
                    throw bad("a number is too large");
                }
                value = value << 8 | b & 0xff;
            }
            return value;
        }
        long value = 0;
        boolean ended = false;
        boolean begun = false;
        for (int i = from; i < from + length; i++) {
            int b = block[i];
            if (b == 0 || b == ' ') {
                ended |= begun;
            } else if (b >= '0' && b <= '7' && !ended) {
                value = value << 3 | b - '0';
                begun = true;
            } else {
                throw bad("a number is malformed");
            }
        }
        return value;
    }

    private byte[] field(int from, int length) {
        return untilZero(Arrays.copyOfRange(block, from, from + length));
    }

    private static byte[] untilZero(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return end == bytes.length ? bytes : Arrays.copyOf(bytes, end);
    }

    private void checkSum() {
        long unsigned = 8 * ' ';
        long signed = 8 * ' ';
        for (int i = 0; i < BLOCK; i++) {
            if (i < 148 || i >= 156) {
                unsigned += block[i] & 0xff;
                signed += block[i];
            }
        }
        long said = number(148, 8);
        if (said != unsigned && said != signed) {
            throw bad("a header has a wrong checksum");
        }
    }

    private boolean isZero() {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private boolean readBlock() throws IOException {
        int count = in.readNBytes(block, 0, BLOCK);
        if (count != 0 && count != BLOCK) {
            throw bad("it ends within a header");
        }
        return count == BLOCK;
    }

    private void skipRest() throws IOException {
        long skip = left + padding;
        left = 0;
        padding = 0;
        byte[] buffer = skip > 0 ? new byte[(int) Math.min(skip, 64 * 1024)] : null;
        while (skip > 0) {
            int count = in.read(buffer, 0, (int) Math.min(skip, buffer.length));
            if (count < 0) {
                throw bad("it ends within a file");
            }
            skip -= count;
        }
    }

    private static RuntimeFault bad(String reason) {
        return new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer: the archive is malformed: " + reason);
    }
}
