package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Reads a tar archive from hostile bytes, one entry after the other: ustar, GNU long names and numbers, pax headers,
 * sparse members in all four forms. Every length is bounded before memory is taken for it. Malformed archives fail with
 * kind DATA_LOSS. Used by one thread.
 *
 * <p>Source: POSIX pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar, "Basic Tar Format", "Storing Sparse Files".
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
        PaxHeaders pax = new PaxHeaders();
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
                case 'x' -> pax.read(extension(size), limits.headerBytes());
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

    /** Reads at most {@code limit} bytes of the current entry; -1 at its end. */
    int read(byte[] buffer, int limit) throws IOException {
        if (left == 0) {
            return -1;
        }
        int count = in.read(buffer, 0, (int) Math.min(limit, left));
        if (count < 0) {
            throw bad("it ends within a file");
        }
        left -= count;
        return count;
    }

    private TarEntry entry(char rawType, long headerSize, PaxHeaders pax, byte[] longName, byte[] longLink)
            throws IOException {
        byte[] name = pax.bytes("GNU.sparse.name", pax.bytes("path", longName != null ? longName : headerName()));
        byte[] link = pax.bytes("linkpath", longLink != null ? longLink : field(157, 100));
        char type = switch (rawType) {
            case 0, '7' -> name.length > 0 && name[name.length - 1] == '/' ? DIRECTORY : REGULAR;
            case '0', '1', '2', '3', '4', '5', '6' -> rawType;
            case 'S' -> REGULAR;
            default -> throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "unpack layer: an entry of type \""
                    + (rawType > ' ' && rawType < 127 ? rawType : '?') + "\" is not supported");
        };
        if (name.length > limits.pathBytes() || link.length > limits.pathBytes()) {
            throw bad("a path is longer than " + limits.pathBytes() + " bytes");
        }
        int mode = (int) number(100, 8) & 07777;
        long uid = pax.number("uid", number(108, 8));
        long gid = pax.number("gid", number(116, 8));
        Time modified = modified(pax);
        boolean device = type == CHARACTER_DEVICE || type == BLOCK_DEVICE;
        int major = device ? (int) number(329, 8) : 0;
        int minor = device ? (int) number(337, 8) : 0;
        // As every reader does: what is no file has no content, whatever its header says.
        long[] stored = {type == REGULAR ? pax.number("size", headerSize) : 0};
        if (stored[0] < 0) {
            throw bad("a file has a negative size");
        }
        padding = (int) (-stored[0] & (BLOCK - 1));
        Optional<SparseMap> sparse = type == REGULAR ? sparse(rawType, pax, stored) : Optional.empty();
        left = stored[0];
        return new TarEntry(type, name, link, mode, uid, gid, left, modified.seconds, modified.nanos, major, minor,
                pax.attributes(), sparse);
    }

    private record Time(long seconds, int nanos) {}

    private Time modified(PaxHeaders pax) {
        Optional<String> precise = pax.text("mtime");
        if (precise.isEmpty()) {
            return new Time(number(136, 12), 0);
        }
        String[] parts = precise.get().split("\\.", 2);
        long seconds = PaxHeaders.decimal(parts[0]);
        int nanos = (int) PaxHeaders.decimal(parts.length == 2 ? (parts[1] + "000000000").substring(0, 9) : "0");
        return nanos > 0 && parts[0].startsWith("-") ? new Time(seconds - 1, 1_000_000_000 - nanos)
                : new Time(seconds, nanos);
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
            throw tooLarge(limits.headerBytes());
        }
        byte[] bytes = in.readNBytes((int) size);
        if (bytes.length < size) {
            throw bad("it ends within a header");
        }
        padding = (int) (-size & (BLOCK - 1));
        return bytes;
    }

    // The numbers of form 1.0, one a line, stand before the content and are padded to whole blocks.
    private long[] leadingMap(long[] stored) throws IOException {
        byte[] map = new byte[BLOCK];
        int at = BLOCK;
        LongStream.Builder numbers = LongStream.builder();
        long wanted = -1;
        StringBuilder digits = new StringBuilder();
        while (wanted != 0) {
            if (at == BLOCK) {
                stored[0] -= BLOCK;
                if (stored[0] < 0 || in.readNBytes(map, 0, BLOCK) < BLOCK) {
                    throw SparseMap.malformed();
                }
                at = 0;
            }
            byte b = map[at++];
            if (b == '\n' && !digits.isEmpty()) {
                long number = PaxHeaders.decimal(digits.toString());
                digits.setLength(0);
                if (wanted > 0) {
                    numbers.add(number);
                    wanted--;
                } else if (number > SparseMap.EXTENT_LIMIT) {
                    throw SparseMap.malformed();
                } else {
                    wanted = 2 * number;
                }
            } else if (b >= '0' && b <= '9' && digits.length() < 19) {
                digits.append((char) b);
            } else {
                throw SparseMap.malformed();
            }
        }
        return numbers.build().toArray();
    }

    // The oldest form: four pieces in the header, further ones in blocks that follow it.
    private long[] headerMap() throws IOException {
        LongStream.Builder pairs = LongStream.builder();
        byte[] header = block.clone();
        int count = extents(header, 386, 4, pairs);
        boolean more = header[482] != 0;
        while (more) {
            // A block may have none: the archive's bytes are bounded.
            if (!readBlock() || count > SparseMap.EXTENT_LIMIT) {
                throw SparseMap.malformed();
            }
            count += extents(block, 0, 21, pairs);
            more = block[504] != 0;
        }
        System.arraycopy(header, 0, block, 0, BLOCK);
        return pairs.build().toArray();
    }

    private static int extents(byte[] from, int at, int limit, LongStream.Builder pairs) {
        int count = 0;
        while (count < limit && from[at + 24 * count] != 0) {
            pairs.add(number(from, at + 24 * count, 12));
            pairs.add(number(from, at + 24 * count + 12, 12));
            count++;
        }
        return count;
    }

    private Optional<SparseMap> sparse(char rawType, PaxHeaders pax, long[] stored) throws IOException {
        if (rawType == 'S') {
            long real = number(483, 12);
            return Optional.of(SparseMap.of(headerMap(), real, stored[0]));
        }
        if (!pax.isSparse()) {
            return Optional.empty();
        }
        String form = pax.text("GNU.sparse.major").orElse("0") + "." + pax.text("GNU.sparse.minor").orElse("0");
        long real = pax.number("GNU.sparse.realsize", pax.number("GNU.sparse.size", -1));
        long[] pairs = switch (form) {
            case "1.0" -> leadingMap(stored);
            case "0.0", "0.1" -> pax.sparsePairs();
            default -> throw SparseMap.malformed();
        };
        return Optional.of(SparseMap.of(pairs, real, stored[0]));
    }

    /** Octal digits, or GNU's binary form when the first bit is set. */
    private long number(int from, int length) {
        return number(block, from, length);
    }

    private static long number(byte[] block, int from, int length) {
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
        if (skip(left) < left) {
            throw bad("it ends within a file");
        }
        // Some tools (umoci insert, for one) leave out the last padding and the end marks; Go's reader takes that too.
        skip(padding);
        left = 0;
        padding = 0;
    }

    private long skip(long count) throws IOException {
        byte[] buffer = count > 0 ? new byte[(int) Math.min(count, 64 * 1024)] : new byte[0];
        long done = 0;
        while (done < count) {
            int got = in.read(buffer, 0, (int) Math.min(count - done, buffer.length));
            if (got < 0) {
                break;
            }
            done += got;
        }
        return done;
    }

    static RuntimeFault tooLarge(int limit) {
        return bad("an extended header is larger than " + limit + " bytes");
    }

    static RuntimeFault bad(String reason) {
        return new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer: the archive is malformed: " + reason);
    }
}
