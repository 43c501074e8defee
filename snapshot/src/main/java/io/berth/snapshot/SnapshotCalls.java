package io.berth.snapshot;

import java.util.List;
import java.util.Map;

/**
 * The calls of a snapshotter that is a program of its own. Thread-safe; each call blocks, for a bounded time.
 *
 * <p>All throw {@link io.berth.base.RuntimeFault}: UNAVAILABLE and DEADLINE_EXCEEDED when the program does not answer, what
 * stands at each call, INTERNAL with the program's own words for the rest. Source: containerd's
 * {@code containerd.services.snapshots.v1.Snapshots}.
 */
public interface SnapshotCalls {

    /** A snapshot that the program knows: committed, or being written or looked at. */
    record Known(String name, boolean committed) {}

    /**
     * Begins a snapshot on top of a committed one.
     *
     * @param parent empty for an empty tree
     * @return how to mount it
     * @throws io.berth.base.RuntimeFault ALREADY_EXISTS when the key is in use, or when the program has brought the snapshot
     *     that the labels name; NOT_FOUND for an unknown parent
     */
    List<SnapshotMount> prepare(String key, String parent, Map<String, String> labels);

    /** A read-only look at a committed snapshot; as {@link #prepare}. */
    List<SnapshotMount> view(String key, String parent);

    /** How to mount what was begun before; NOT_FOUND when it was not. */
    List<SnapshotMount> mounts(String key);

    /** Commits what was begun; ALREADY_EXISTS when the name is taken. */
    void commit(String name, String key);

    /** Removes a snapshot; NOT_FOUND when it is not there, FAILED_PRECONDITION when others stand on it. */
    void remove(String key);

    /** Whether a committed snapshot has this name. */
    boolean isCommitted(String name);

    /** All snapshots, those of others too. */
    List<Known> list();

    /** What one snapshot takes by itself; NOT_FOUND when it is not there. */
    Usage usage(String key);

    /** Frees what removals have left; nothing happens where the program does not know this. */
    void cleanUp();
}
