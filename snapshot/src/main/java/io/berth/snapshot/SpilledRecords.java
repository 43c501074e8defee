package io.berth.snapshot;

import io.berth.base.RandomId;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Records that are read back in the order they came in, however many: a layer may have millions of directories, and the
 * daemon has little memory. What is more than {@value #HELD_LIMIT} bytes is in a file that has no name. Used by one
 * thread at a time; the one that is done with it closes it.
 */
final class SpilledRecords implements AutoCloseable {

    static final int HELD_LIMIT = 64 * 1024;

    private final Path directory;
    private byte[] held = new byte[256];
    private int filled;
    private Optional<Fd> file = Optional.empty();
    private long spilledBytes;

    /** @param directory where the file is made, if there is to be one */
    SpilledRecords(Path directory) {
        this.directory = directory;
    }

    /** @param record of a few thousand bytes at most: paths are no longer */
    void add(byte[] record) {
        int size = Integer.BYTES + record.length;
        if (filled + size > HELD_LIMIT) {
            spill();
        }
        if (filled + size > held.length) {
            held = Arrays.copyOf(held, Math.min(HELD_LIMIT, Math.max(2 * held.length, filled + size)));
        }
        ByteBuffer.wrap(held, filled, size).putInt(record.length).put(record);
        filled += size;
    }

    private void spill() {
        if (file.isEmpty()) {
            try (Fd opened = Fd.openDirectory(directory)) {
                file = Optional.of(Inodes.createUnnamed(opened, Inodes.name(".spilled-" + RandomId.hex(12))));
            }
        }
        file.get().write(held, 0, filled);
        spilledBytes += filled;
        filled = 0;
    }

    boolean isEmpty() {
        return filled == 0 && spilledBytes == 0;
    }

    /** What they take of the heap. */
    int heldBytes() {
        return held.length;
    }

    /** Gives every record, the first one first; none may be added meanwhile. */
    void forEach(Consumer<byte[]> use) {
        file.ifPresent(spilled -> {
            byte[] part = new byte[HELD_LIMIT];
            int rest = 0;
            spilled.seek(0);
            for (int count; (count = spilled.read(part, rest, part.length - rest)) > 0;) {
                int used = whole(part, rest + count, use);
                rest += count - used;
                System.arraycopy(part, used, part, 0, rest);
            }
            spilled.seek(spilledBytes);
        });
        whole(held, filled, use);
    }

    /** Gives the records that are whole; how many bytes they are. */
    private static int whole(byte[] bytes, int length, Consumer<byte[]> use) {
        int at = 0;
        while (length - at >= Integer.BYTES) {
            int size = ByteBuffer.wrap(bytes, at, Integer.BYTES).getInt();
            if (length - at - Integer.BYTES < size) {
                break;
            }
            at += Integer.BYTES + size;
            use.accept(Arrays.copyOfRange(bytes, at - size, at));
        }
        return at;
    }

    @Override
    public void close() {
        file.ifPresent(Fd::close);
    }
}
