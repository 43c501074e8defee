package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The pax records that speak of one entry of an archive, as far as Berth knows them. A later record wins; of the sparse
 * map's first form, whose keys repeat, all are kept in their order. Used by one thread.
 *
 * <p>Source: POSIX pax, "pax Extended Header"; GNU tar manual, "PAX 0" and "PAX 1" for sparse members.
 */
final class PaxHeaders {

    private static final String XATTR = "SCHILY.xattr.";
    private static final String SPARSE = "GNU.sparse.";
    private static final int SPARSE_RECORDS = 2 * SparseMap.EXTENT_LIMIT;
    /** Most extended attributes of one entry; the kernel lists 64 KiB of names. */
    private static final int XATTR_LIMIT = 1024;
    // What is not known is not kept: a header may have a hundred thousand records.
    private static final Set<String> KNOWN = Set.of("path", "linkpath", "size", "uid", "gid", "mtime",
            "GNU.sparse.name", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.realsize", "GNU.sparse.size",
            "GNU.sparse.map");

    private final Map<String, byte[]> values = new HashMap<>();
    private final LongStream.Builder sparsePairs = LongStream.builder();
    private int sparseRecords;
    private int attributes;
    private boolean sparse;
    private long bytes;

    /** Adds the records of one header; the bytes of all that speak of one entry are at most {@code limit}. */
    void read(byte[] bytes, int limit) {
        this.bytes += bytes.length;
        if (this.bytes > limit) {
            throw TarReader.tooLarge(limit);
        }
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
                throw TarReader.bad("a pax record is malformed");
            }
            int equals = ++at;
            while (equals < end && bytes[equals] != '=') {
                equals++;
            }
            if (equals == at || equals >= end) {
                throw TarReader.bad("a pax record is malformed");
            }
            put(new String(bytes, at, equals - at, StandardCharsets.UTF_8), Arrays.copyOfRange(bytes, equals + 1, end - 1));
            at = end;
        }
    }

    private void put(String key, byte[] value) {
        if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
            boolean offset = key.endsWith("offset");
            if (sparseRecords % 2 == (offset ? 1 : 0) || ++sparseRecords > SPARSE_RECORDS) {
                throw SparseMap.malformed();
            }
            sparsePairs.add(decimal(text(value)));
            return;
        }
        sparse |= key.startsWith(SPARSE);
        boolean attribute = key.startsWith(XATTR);
        if (attribute && !values.containsKey(key) && ++attributes > XATTR_LIMIT) {
            throw TarReader.bad("an entry has more than " + XATTR_LIMIT + " extended attributes");
        }
        if (!attribute && !KNOWN.contains(key)) {
            return;
        }
        // An empty value takes an earlier one back.
        if (value.length == 0 && !attribute) {
            values.remove(key);
        } else {
            values.put(key, value);
        }
    }

    byte[] bytes(String key, byte[] otherwise) {
        return values.getOrDefault(key, otherwise);
    }

    Optional<String> text(String key) {
        return Optional.ofNullable(values.get(key)).map(PaxHeaders::text);
    }

    long number(String key, long otherwise) {
        return text(key).map(PaxHeaders::decimal).orElse(otherwise);
    }

    /** The sparse map's pairs of offset and length in forms 0.0 and 0.1; empty in the other forms. */
    long[] sparsePairs() {
        text("GNU.sparse.map").ifPresent(this::addPairs);
        return sparsePairs.build().toArray();
    }

    // Not split at once: half a million texts take more of the heap than there is.
    private void addPairs(String map) {
        for (int from = 0, to; from <= map.length(); from = to + 1) {
            int comma = map.indexOf(',', from);
            to = comma < 0 ? map.length() : comma;
            if (++sparseRecords > SPARSE_RECORDS) {
                throw SparseMap.malformed();
            }
            sparsePairs.add(decimal(map.substring(from, to)));
        }
    }

    /** Whether any record says that the member is sparse. */
    boolean isSparse() {
        return sparse || sparseRecords > 0;
    }

    /** Extended attributes by their full name. */
    Map<String, byte[]> attributes() {
        Map<String, byte[]> attributes = new HashMap<>();
        values.forEach((key, value) -> {
            if (key.startsWith(XATTR)) {
                attributes.put(key.substring(XATTR.length()), value);
            }
        });
        return attributes;
    }

    static long decimal(String text) {
        try {
            return Long.parseLong(text.length() <= 20 ? text : "");
        } catch (NumberFormatException e) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS,
                    "unpack layer: the archive is malformed: a number in a pax header is malformed", e);
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
