package io.berth.shim;

import com.google.protobuf.Timestamp;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/** Writes the file that tells the end of a container, as conmon does: whole or not at all. */
final class ExitFile {

    private ExitFile() {}

    /**
     * Tells an end; nothing happens when it is told already.
     *
     * @param at when; the epoch stands for now
     * @param message what there is to say of it, or nothing
     */
    static void write(Path directory, String id, int code, Timestamp at, String message) {
        Path file = directory.resolve(id);
        if (Files.exists(file)) {
            return;
        }
        Path beside = directory.resolve("." + id);
        try {
            Files.writeString(beside, message.isEmpty() ? Integer.toString(code) : code + "\n" + message);
            if (at.getSeconds() > 0) {
                Files.setLastModifiedTime(beside, FileTime.from(Instant.ofEpochSecond(at.getSeconds(), at.getNanos())));
            }
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RuntimeFault.internal("tell the end of container " + id + ": " + RuntimeFault.reason(e), e);
        }
    }
}
