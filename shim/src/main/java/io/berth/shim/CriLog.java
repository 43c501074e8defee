package io.berth.shim;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A container's log in the format of the CRI: {@code TIME STREAM TAG TEXT}, the tag {@code F} for what ends a line and
 * {@code P} for a part of one. Thread-safe. A log that cannot be written does not stop the container: what it printed
 * meanwhile is lost. Source: kubernetes, "CRI: Log Management for Container Stdout/Stderr Streams".
 */
final class CriLog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CriLog.class);
    private static final DateTimeFormatter TIME = new DateTimeFormatterBuilder().appendPattern("yyyy-MM-dd'T'HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 9, 9, true).appendPattern("XXXXX").toFormatter();

    private final String container;
    private final Optional<Path> path;
    private Optional<FileChannel> file = Optional.empty();
    private boolean told;

    /** @param path where it is; empty for no log. Its directory exists. Not opened before it is needed. */
    CriLog(String container, Optional<Path> path) {
        this.container = container;
        this.path = path;
    }

    /** Opens the log, making the file where it is not there. */
    synchronized void open() {
        if (path.isPresent()) {
            try {
                FileChannel opened = FileChannel.open(path.get(), Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                        StandardOpenOption.APPEND), PosixFilePermissions.asFileAttribute(
                        PosixFilePermissions.fromString("rw-r-----")));
                close();
                file = Optional.of(opened);
            } catch (IOException e) {
                throw RuntimeFault.internal("open log " + path.get() + ": " + RuntimeFault.reason(e), e);
            }
        }
    }

    /** Writes what came from {@code stream}, {@code stdout} or {@code stderr}. */
    synchronized void write(String stream, byte[] bytes, int count) {
        if (file.isEmpty()) {
            return;
        }
        try {
            ByteBuffer lines = ByteBuffer.wrap(lines(TIME.format(OffsetDateTime.now()), stream, bytes, count));
            while (lines.hasRemaining()) {
                file.get().write(lines);
            }
            told = false;
        } catch (IOException full) {
            if (!told) {
                LOG.atWarn().addKeyValue("container", container).addKeyValue("reason", RuntimeFault.reason(full))
                        .log("its log cannot be written: what it prints is lost");
            }
            told = true;
        }
    }

    static byte[] lines(String time, String stream, byte[] bytes, int count) {
        ByteArrayOutputStream lines = new ByteArrayOutputStream(count + 64);
        byte[] prefix = (time + " " + stream + " ").getBytes(StandardCharsets.US_ASCII);
        for (int from = 0; from < count;) {
            int end = from;
            while (end < count && bytes[end] != '\n') {
                end++;
            }
            lines.writeBytes(prefix);
            lines.write(end < count ? 'F' : 'P');
            lines.write(' ');
            lines.write(bytes, from, end - from);
            lines.write('\n');
            from = end + 1;
        }
        return lines.toByteArray();
    }

    @Override
    public synchronized void close() {
        try {
            if (file.isPresent()) {
                file.get().close();
            }
        } catch (IOException lost) {
            LOG.atWarn().addKeyValue("container", container).addKeyValue("reason", RuntimeFault.reason(lost))
                    .log("its log cannot be closed");
        }
        file = Optional.empty();
    }
}
