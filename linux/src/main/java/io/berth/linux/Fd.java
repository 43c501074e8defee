package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open file descriptor, close-on-exec, owned by whoever holds this object and closed once by {@link #close()}.
 * Reads and writes block the calling thread, which must be a platform thread where they may wait.
 */
public final class Fd implements AutoCloseable {

    static final int AT_FDCWD = -100;
    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0100;
    static final int O_NONBLOCK = 04000;
    static final int O_CLOEXEC = 02000000;
    static final int O_DIRECTORY = 0200000;
    static final int O_NOFOLLOW = 0400000;
    static final int O_PATH = 010000000;

    private final int number;
    private final AtomicBoolean closed = new AtomicBoolean();

    Fd(int number) {
        this.number = number;
    }

    /** Both ends of a pipe; the caller owns them. */
    public record Pipe(Fd read, Fd write) implements AutoCloseable {
        @Override
        public void close() {
            read.close();
            write.close();
        }
    }

    /** A new pipe, both ends close-on-exec. */
    public static Pipe pipe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(8, 4);
            Kernel.check(Kernel.tryCall(SystemCall.PIPE2, ends.address(), O_CLOEXEC), "open", "pipe");
            return new Pipe(new Fd(ends.get(ValueLayout.JAVA_INT, 0)), new Fd(ends.get(ValueLayout.JAVA_INT, 4)));
        }
    }

    /** Opens {@code path} for reading. */
    public static Fd openReadOnly(Path path) {
        return open(path, O_RDONLY, 0);
    }

    /** Opens the FIFO {@code path} for reading, without waiting for somebody who writes. */
    public static Fd openFifo(Path path) {
        return open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    }

    /** Opens the directory {@code path}. */
    public static Fd openDirectory(Path path) {
        return open(path, O_RDONLY | O_DIRECTORY, 0);
    }

    /** Opens {@code path} for reading and writing, made with {@code mode} when it is not there. */
    public static Fd create(Path path, int mode) {
        return open(path, O_RDWR | O_CREAT, mode);
    }

    static Fd open(Path path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocateFrom(path.toString()).address();
            return new Fd((int) Kernel.check(
                    Kernel.tryCall(SystemCall.OPENAT, AT_FDCWD, address, flags | O_CLOEXEC, mode), "open", path));
        }
    }

    /** The descriptor's number, valid until {@link #close()}. */
    public int number() {
        if (closed.get()) {
            throw new IllegalStateException("descriptor " + number + " is closed");
        }
        return number;
    }

    /** The path under which this process sees the descriptor. */
    public Path procPath() {
        return Path.of("/proc/self/fd/" + number());
    }

    /**
     * Reads up to {@code length} bytes into {@code buffer}; the count, or -1 at the end.
     */
    public int read(byte[] buffer, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(length);
            long count;
            do {
                count = Kernel.tryCall(SystemCall.READ, number(), target.address(), length, 0);
            } while (count == -Errno.EINTR);
            if (count == -Errno.EIO) {
                // A terminal whose other side is closed reports EIO instead of the end.
                return -1;
            }
            Kernel.check(count, "read", "descriptor " + number);
            MemorySegment.copy(target, ValueLayout.JAVA_BYTE, 0, buffer, offset, (int) count);
            return count == 0 ? -1 : (int) count;
        }
    }

    /** Writes all of the given bytes. */
    public void write(byte[] buffer, int offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(Math.max(1, length));
            MemorySegment.copy(buffer, offset, source, ValueLayout.JAVA_BYTE, 0, length);
            writeAll(source.address(), length);
        }
    }

    /**
     * Memory outside of the heap for many writes: the allocator would map and clear fresh pages for each. Used by one
     * thread, which closes it.
     */
    public static final class Buffer implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment memory;

        public Buffer(int sizeBytes) {
            this.memory = arena.allocate(sizeBytes);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /** Writes all of the given bytes, by way of {@code buffer}. */
    public void write(byte[] bytes, int offset, int length, Buffer buffer) {
        for (int from = 0; from < length;) {
            int part = (int) Math.min(length - from, buffer.memory.byteSize());
            MemorySegment.copy(bytes, offset + from, buffer.memory, ValueLayout.JAVA_BYTE, 0, part);
            writeAll(buffer.memory.address(), part);
            from += part;
        }
    }

    private void writeAll(long address, int length) {
        for (long done = 0; done < length;) {
            long count = Kernel.tryCall(SystemCall.WRITE, number(), address + done, length - done, 0);
            if (count != -Errno.EINTR) {
                done += Kernel.check(count, "write", "descriptor " + number);
            }
        }
    }

    /** Reads up to and without the next line feed, or to the end, at most {@code limit} bytes, as UTF-8. */
    public String readLine(int limit) {
        byte[] buffer = new byte[limit];
        int filled = 0;
        // Byte by byte: what follows the line stays in the descriptor.
        while (filled < limit && read(buffer, filled, 1) == 1 && buffer[filled] != '\n') {
            filled++;
        }
        return new String(buffer, 0, filled, StandardCharsets.UTF_8);
    }

    /** Sets where the next read or write begins, counted from the start of the file; beyond its end is allowed. */
    public void seek(long offset) {
        Kernel.check(Kernel.tryCall(SystemCall.LSEEK, number(), offset, 0, 0), "seek in", "descriptor " + number);
    }

    /** Gives the file this size: what is added is a hole. */
    public void resize(long sizeBytes) {
        Kernel.check(Kernel.tryCall(SystemCall.FTRUNCATE, number(), sizeBytes), "resize", "descriptor " + number);
    }

    /** Reads until the end, at most {@code limit} bytes, as UTF-8. */
    public String readAll(int limit) {
        byte[] buffer = new byte[Math.min(limit, 8192)];
        int filled = 0;
        while (filled < limit) {
            if (filled == buffer.length) {
                buffer = java.util.Arrays.copyOf(buffer, Math.min(limit, buffer.length * 2));
            }
            int count = read(buffer, filled, Math.min(buffer.length - filled, 65536));
            if (count < 0) {
                break;
            }
            filled += count;
        }
        return new String(buffer, 0, filled, StandardCharsets.UTF_8);
    }

    /**
     * Waits until the descriptor is readable or its other side is gone.
     *
     * @return false when {@code millis} passed first; a negative value waits without limit
     */
    public boolean awaitReadable(long millis) {
        return poll(millis, number(), -1);
    }

    /** Waits for any of {@code numbers}; the kernel skips negative ones. */
    static boolean poll(long millis, int... numbers) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment polls = arena.allocate(8L * numbers.length, 4);
            for (int i = 0; i < numbers.length; i++) {
                polls.set(ValueLayout.JAVA_INT, 8L * i, numbers[i]);
                polls.set(ValueLayout.JAVA_SHORT, 8L * i + 4, (short) 1);
            }
            long time = 0;
            if (millis >= 0) {
                MemorySegment spec = arena.allocate(16, 8);
                spec.set(ValueLayout.JAVA_LONG, 0, millis / 1000);
                spec.set(ValueLayout.JAVA_LONG, 8, millis % 1000 * 1_000_000);
                time = spec.address();
            }
            long ready = Kernel.tryCall(SystemCall.PPOLL, polls.address(), numbers.length, time, 0);
            return ready != -Errno.EINTR && Kernel.check(ready, "poll", "descriptors") > 0;
        }
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            Kernel.tryCall(SystemCall.CLOSE, number, 0);
        }
    }
}
