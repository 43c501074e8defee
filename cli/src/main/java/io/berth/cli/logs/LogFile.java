package io.berth.cli.logs;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * A container's log file, read line by line, also while it grows, is rotated (renamed, with a new file under the old name)
 * or truncated. Used by one thread; the creator closes it.
 */
public final class LogFile implements AutoCloseable {

    private static final int BLOCK = 64 * 1024;
    /** Monitors write lines of at most 16 KiB; what is longer is not one of theirs, and is cut. */
    private static final int LONGEST_LINE = 1024 * 1024;

    private final Path path;
    private RandomAccessFile file;
    private Object key;
    private final byte[] buffer = new byte[BLOCK];
    private int filled;
    private int taken;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    private LogFile(Path path) throws IOException {
        this.path = path;
        reopen();
    }

    /**
     * Opens it.
     *
     * @param tail begin with the last so many lines; negative for all
     */
    public static LogFile open(Path path, long tail) {
        try {
            LogFile log = new LogFile(path);
            if (tail >= 0) {
                log.file.seek(log.startOfTail(tail));
            }
            return log;
        } catch (IOException e) {
            throw RuntimeFault.notFound("open log " + path + ": " + RuntimeFault.reason(e)
                    + ": a log is read on its node, by a user who may");
        }
    }

    private void reopen() throws IOException {
        RandomAccessFile next = new RandomAccessFile(path.toFile(), "r");
        if (file != null) {
            file.close();
        }
        file = next;
        key = key(path);
    }

    private static Object key(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private long startOfTail(long lines) throws IOException {
        long position = file.length();
        long found = 0;
        byte[] block = new byte[BLOCK];
        boolean atEnd = true;
        while (position > 0) {
            int size = (int) Math.min(BLOCK, position);
            file.seek(position - size);
            file.readFully(block, 0, size);
            for (int i = size - 1; i >= 0; i--) {
                // The line feed that ends the last line begins none.
                if (block[i] == '\n' && !atEnd && ++found == lines) {
                    return position - size + i + 1;
                }
                if (atEnd && lines == 0) {
                    return file.length();
                }
                atEnd = false;
            }
            position -= size;
        }
        return lines == 0 ? file.length() : 0;
    }

    /** The next whole line without its line feed; empty at the present end of the file. */
    public Optional<byte[]> next() {
        try {
            while (true) {
                while (taken < filled) {
                    byte each = buffer[taken++];
                    if (each == '\n') {
                        byte[] whole = line.toByteArray();
                        line.reset();
                        return Optional.of(whole);
                    }
                    if (line.size() < LONGEST_LINE) {
                        line.write(each);
                    }
                }
                taken = 0;
                filled = Math.max(0, file.read(buffer));
                if (filled == 0 && !turned()) {
                    return Optional.empty();
                }
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("read log " + path + ": " + RuntimeFault.reason(e), e);
        }
    }

    // Asked at the end of the file only: what was written before a rotation is read first.
    private boolean turned() throws IOException {
        if (!Files.exists(path)) {
            return false;
        }
        if (!key(path).equals(key)) {
            reopen();
            line.reset();
            return true;
        }
        if (file.length() < file.getFilePointer()) {
            file.seek(0);
            line.reset();
            return true;
        }
        return false;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw RuntimeFault.internal("close log " + path + ": " + RuntimeFault.reason(e), e);
        }
    }
}
