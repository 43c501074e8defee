package io.berth.snapshot;

import java.util.Map;
import java.util.Optional;

/**
 * One member of a tar archive. Names are bytes, as the archive has them; nothing is checked yet.
 *
 * @param type one of the letters of {@link TarReader}
 * @param sizeBytes of the content that follows; 0 for what has none
 * @param attributes extended attributes by their full name
 * @param sparse where the content goes, in a file with holes
 */
record TarEntry(char type, byte[] name, byte[] linkName, int mode, long uid, long gid, long sizeBytes, long seconds,
        int nanos, int deviceMajor, int deviceMinor, Map<String, byte[]> attributes, Optional<SparseMap> sparse) {

    /** What the file will look like it has, holes included. */
    long apparentBytes() {
        return sparse.map(SparseMap::sizeBytes).orElse(sizeBytes);
    }
}
