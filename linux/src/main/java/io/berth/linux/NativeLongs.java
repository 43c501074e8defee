package io.berth.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Numbers outside of the heap, which is small; all are 0 at first. Used by one thread, which closes it. */
public final class NativeLongs implements AutoCloseable {

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory;

    /** @param length how many numbers, of eight bytes each */
    public NativeLongs(int length) {
        this.memory = arena.allocate(ValueLayout.JAVA_LONG, length);
    }

    public int length() {
        return (int) (memory.byteSize() / Long.BYTES);
    }

    public long get(int at) {
        return memory.getAtIndex(ValueLayout.JAVA_LONG, at);
    }

    public void set(int at, long value) {
        memory.setAtIndex(ValueLayout.JAVA_LONG, at, value);
    }

    @Override
    public void close() {
        arena.close();
    }
}
