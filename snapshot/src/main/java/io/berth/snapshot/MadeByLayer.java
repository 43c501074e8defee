package io.berth.snapshot;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.NativeLongs;
import java.util.SplittableRandom;

/**
 * What one layer has made in a tree that had files before. Directories are known by their inode; what has the inode of
 * one that is gone can only be the layer's own. What is in a directory that the layer itself has made is not noted,
 * since all of it is the layer's. Used by one thread, which closes it.
 *
 * <p>It keeps hashes of eight bytes each, because a layer may have very many files and the daemon has little memory.
 * Two names with one hash make a deleted file stay, at odds of one to 2^44 for one name in a layer of a million files;
 * a layer that is made so does no more than one that has no such mark.
 */
final class MadeByLayer implements AutoCloseable {

    /** How many directories, and files in directories that were there, a layer may have: 8 MiB outside of the heap. */
    static final int LIMIT = 3 << 18;

    // No names of files.
    private static final byte[] DIRECTORY = {};
    private static final byte[] NEW = {'/'};

    private final int limit;
    private final long seed = new SplittableRandom().nextLong();
    private NativeLongs slots = new NativeLongs(64);
    private int count;

    MadeByLayer(int limit) {
        this.limit = limit;
    }

    /** A name that is no directory. */
    void add(long directory, byte[] name) {
        if (!isNew(directory)) {
            put(hash(directory, name));
            put(hash(directory, DIRECTORY));
        }
    }

    /** A directory that was there, and that the layer has too. */
    void addDirectory(long inode) {
        put(hash(inode, DIRECTORY));
    }

    /** A directory that was not there. */
    void addNew(long inode) {
        put(hash(inode, NEW));
    }

    boolean has(long directory, byte[] name) {
        return isNew(directory) || holds(hash(directory, name));
    }

    boolean hasDirectory(long inode) {
        return isNew(inode) || holds(hash(inode, DIRECTORY));
    }

    /** Whether the layer has made the directory, so that all in it is the layer's. */
    boolean isNew(long inode) {
        return holds(hash(inode, NEW));
    }

    private void put(long hash) {
        if (holds(hash)) {
            return;
        }
        if (++count > limit) {
            throw new RuntimeFault(Kind.RESOURCE_EXHAUSTED, "unpack layer: more than the limit of " + limit
                    + " directories, and files in directories of the layers below");
        }
        if (count > slots.length() / 4 * 3) {
            try (NativeLongs old = slots) {
                slots = new NativeLongs(old.length() * 2);
                for (int i = 0; i < old.length(); i++) {
                    slots.set(slot(old.get(i)), old.get(i));
                }
            }
        }
        slots.set(slot(hash), hash);
    }

    private boolean holds(long hash) {
        return slots.get(slot(hash)) == hash;
    }

    /** Where the hash is, or the free slot where it would be. */
    private int slot(long hash) {
        int mask = slots.length() - 1;
        int at = (int) hash & mask;
        while (slots.get(at) != 0 && slots.get(at) != hash) {
            at = at + 1 & mask;
        }
        return at;
    }

    @Override
    public void close() {
        slots.close();
    }

    private long hash(long inode, byte[] name) {
        long hash = mixed(seed ^ inode);
        for (byte b : name) {
            hash = (hash ^ b) * 0x100000001b3L;
        }
        hash = mixed(hash + name.length);
        return hash == 0 ? 1 : hash;
    }

    // The finalizer of splitmix64.
    private static long mixed(long bits) {
        long a = (bits ^ bits >>> 30) * 0xbf58476d1ce4e5b9L;
        long b = (a ^ a >>> 27) * 0x94d049bb133111ebL;
        return b ^ b >>> 31;
    }
}
