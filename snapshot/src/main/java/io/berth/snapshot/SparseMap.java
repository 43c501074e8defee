package io.berth.snapshot;

/**
 * Where the stored bytes of a sparse member go: pieces of the file in their order, holes between them. Checked when it is
 * made: pieces ascend, do not overlap and lie within the file.
 *
 * @param sizeBytes of the whole file, holes included
 * @param offsets of the pieces
 * @param lengths of the pieces
 */
record SparseMap(long sizeBytes, long[] offsets, long[] lengths) {

    /** Most pieces that one file may have: reading them takes less than 4 MiB. */
    static final int EXTENT_LIMIT = 1 << 16;

    /** @param pairs of offset and length, one after the other */
    static SparseMap of(long[] pairs, long sizeBytes, long storedBytes) {
        if (pairs.length % 2 != 0 || pairs.length / 2 > EXTENT_LIMIT || sizeBytes < 0) {
            throw malformed();
        }
        int count = pairs.length / 2;
        long[] offsets = new long[count];
        long[] lengths = new long[count];
        long end = 0;
        long stored = 0;
        for (int i = 0; i < count; i++) {
            offsets[i] = pairs[2 * i];
            lengths[i] = pairs[2 * i + 1];
            // Written so that nothing overflows: offset and length are compared with what is left.
            if (offsets[i] < end || lengths[i] < 0 || offsets[i] > sizeBytes || lengths[i] > sizeBytes - offsets[i]) {
                throw malformed();
            }
            end = offsets[i] + lengths[i];
            stored += lengths[i];
        }
        if (stored != storedBytes) {
            throw malformed();
        }
        return new SparseMap(sizeBytes, offsets, lengths);
    }

    static RuntimeException malformed() {
        return TarReader.bad("the map of a sparse file is malformed");
    }
}
