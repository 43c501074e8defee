package io.berth.store;

import java.util.Map;

/**
 * Keeps documents by kind (such as {@code sandboxes}) and id. A write is atomic: after a crash the record is the old one or
 * the new one. Thread-safe; two writers of the same record are the caller's to order.
 */
public interface RecordStore {

    /** Writes or replaces a record. */
    void put(String kind, String id, byte[] document);

    /** Removes a record; fine when there is none. */
    void remove(String kind, String id);

    /** All records of a kind by id, as they were last written. A damaged file is reported and left out. */
    Map<String, byte[]> all(String kind);
}
