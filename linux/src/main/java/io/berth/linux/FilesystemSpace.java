package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Room on a file system. Source: statfs(2).
 *
 * @param availableBytes for those without privileges
 * @param inodes 0 where the file system makes them as it needs them
 */
public record FilesystemSpace(long totalBytes, long availableBytes, long inodes, long freeInodes) {

    private static final int STATFS_BYTES = 120;

    /** Of the file system that {@code path} is on. Faults are {@link SystemCallFault}. */
    public static FilesystemSpace of(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            // struct statfs: type, block size, blocks, free, available, inodes, free inodes, each a long
            MemorySegment answer = arena.allocate(STATFS_BYTES, 8);
            Kernel.check(Kernel.tryCall(SystemCall.STATFS, arena.allocateFrom(path.toString()).address(),
                    answer.address()), "measure file system of", path);
            long block = answer.getAtIndex(ValueLayout.JAVA_LONG, 1);
            return new FilesystemSpace(answer.getAtIndex(ValueLayout.JAVA_LONG, 2) * block,
                    answer.getAtIndex(ValueLayout.JAVA_LONG, 4) * block, answer.getAtIndex(ValueLayout.JAVA_LONG, 5),
                    answer.getAtIndex(ValueLayout.JAVA_LONG, 6));
        }
    }
}
