package io.berth.network.cni;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * The records of all sandboxes, one file for each, written beside and renamed. Thread-safe for different sandboxes. Files
 * are not synced: after a crash of the machine the namespaces are gone as well.
 */
final class CniRecords {

    private static final Logger LOG = LoggerFactory.getLogger(CniRecords.class);
    private static final String ENDING = ".json";

    private final Path directory;

    CniRecords(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw fault("open cni records", directory, e);
        }
    }

    void write(CniRecord record) {
        Path file = file(record.sandboxId());
        Path beside = directory.resolve(".new-" + RandomId.hex(8));
        try {
            Files.writeString(beside, CniConfiguration.JSON.writeValueAsString(record));
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw fault("write cni record", file, e);
        }
    }

    Optional<CniRecord> read(String sandboxId) {
        return read(file(sandboxId));
    }

    private Optional<CniRecord> read(Path file) {
        try {
            return Optional.of(CniConfiguration.JSON.readValue(Files.readString(file), CniRecord.class));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (JacksonException e) {
            LOG.atWarn().addKeyValue("file", file).addKeyValue("reason", e.getOriginalMessage())
                    .log("unreadable cni record passed over");
            return Optional.empty();
        } catch (IOException e) {
            throw fault("read cni record", file, e);
        }
    }

    void remove(String sandboxId) {
        try {
            Files.deleteIfExists(file(sandboxId));
        } catch (IOException e) {
            throw fault("remove cni record", file(sandboxId), e);
        }
    }

    List<CniRecord> all() {
        List<CniRecord> found = new ArrayList<>();
        try (var files = Files.newDirectoryStream(directory, "*" + ENDING)) {
            files.forEach(file -> read(file).ifPresent(found::add));
        } catch (IOException e) {
            throw fault("list cni records", directory, e);
        }
        return found;
    }

    private Path file(String sandboxId) {
        if (sandboxId.isEmpty() || sandboxId.contains("/") || sandboxId.startsWith(".")) {
            throw RuntimeFault.invalid("name cni record: sandbox id \"" + sandboxId + "\" is not a file name");
        }
        return directory.resolve(sandboxId + ENDING);
    }

    private static RuntimeFault fault(String action, Path path, IOException cause) {
        return RuntimeFault.internal(action + " " + path + ": " + RuntimeFault.reason(cause), cause);
    }
}
