package io.berth.snapshot;

import java.util.Map;

/**
 * One member of a tar archive. Names are bytes, as the archive has them; nothing is checked yet.
 *
 * @param type one of the letters of {@link TarReader}
 * @param sizeBytes of the content that follows; 0 for what has none
 * @param attributes extended attributes by their full name
 */
record TarEntry(char type, byte[] name, byte[] linkName, int mode, long uid, long gid, long sizeBytes, long seconds,
        int nanos, int deviceMajor, int deviceMinor, Map<String, byte[]> attributes) {}
