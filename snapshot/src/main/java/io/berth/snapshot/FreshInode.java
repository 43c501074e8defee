package io.berth.snapshot;

import io.berth.linux.Fd;
import io.berth.linux.Inodes;

/**
 * What an inode that this process makes has by itself, so that it need not be given a second time: two system calls less
 * for most files of a layer. Depends on the process (its user, its umask) and on the directory's file system (mount
 * options, default access lists), and so is tried out. A directory that passes its group on, or has another one than
 * {@link #gid}, is {@linkplain #isPlain not plain}: nothing is taken for granted in it.
 *
 * @param uid the owner that it has
 * @param gid the group that it has
 * @param bits the permission bits that are not taken away
 */
record FreshInode(int uid, int gid, int bits) {

    private static final int SET_GROUP = 02000;

    /** Nothing is taken for granted anywhere: for a tree that must not be tried out, or that others have made. */
    static final FreshInode UNKNOWN = new FreshInode(-1, -1, 0);

    /** Makes a file in {@code directory} to see what it is like, and removes it. */
    static FreshInode in(Fd directory) {
        byte[] name = Inodes.name("probe");
        try (Fd file = Inodes.createFile(directory, name, 0777)) {
            Inodes.Status made = Inodes.status(file);
            return new FreshInode(made.uid(), made.gid(), made.mode() & 0777);
        } finally {
            Inodes.removeFile(directory, name);
        }
    }

    boolean isPlain(Inodes.Status directory) {
        return directory.gid() == gid && (directory.mode() & SET_GROUP) == 0;
    }

    boolean owns(TarEntry entry) {
        return entry.uid() == uid && entry.gid() == gid;
    }

    /** Whether an inode that is made with this mode has it: no bit is masked, and none is one that chown(2) clears. */
    boolean keeps(int mode) {
        return (mode & ~bits) == 0;
    }
}
