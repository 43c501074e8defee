package io.berth.server;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps two daemons from working on the same directory; the kernel gives the lock back however the process ends. */
record InstanceLock(FileChannel channel) implements AutoCloseable {

    /** @throws RuntimeFault FAILED_PRECONDITION when another daemon holds {@code directory} */
    static InstanceLock take(Path directory) {
        Path file = directory.resolve("berth.lock");
        try {
            Files.createDirectories(directory);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw RuntimeFault.precondition("use " + directory
                        + ": another berth works with it: give this one its own --root and --state");
            }
            return new InstanceLock(channel);
        } catch (IOException e) {
            throw RuntimeFault.internal("lock " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw RuntimeFault.internal("unlock: " + RuntimeFault.reason(e), e);
        }
    }
}
