package io.berth.store;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file a record, {@code DIRECTORY/KIND/ID.json}, written beside and renamed over the old one.
 *
 * <p>No fsync: a record is about processes, mounts and namespaces of the running kernel, which a power cut ends with it;
 * against a crash of the daemon the page cache is enough. docs/adr/0002 has the reasons and figures.
 */
public final class FileRecordStore implements RecordStore {

    private static final Logger LOG = LoggerFactory.getLogger(FileRecordStore.class);
    private static final String SUFFIX = ".json";
    private static final String UNFINISHED = ".new-";

    private final Path directory;

    public FileRecordStore(Path directory) {
        this.directory = directory;
    }

    @Override
    public void put(String kind, String id, byte[] document) {
        Path file = file(kind, id);
        Path beside = file.resolveSibling(UNFINISHED + RandomId.hex(8));
        try {
            Files.createDirectories(file.getParent());
            Files.write(beside, document);
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(beside);
            } catch (IOException leftForTheNextStart) {
                e.addSuppressed(leftForTheNextStart);
            }
            throw fault("write", kind, id, e);
        }
    }

    @Override
    public void remove(String kind, String id) {
        try {
            Files.deleteIfExists(file(kind, id));
        } catch (IOException e) {
            throw fault("remove", kind, id, e);
        }
    }

    @Override
    public Map<String, byte[]> all(String kind) {
        Map<String, byte[]> found = new TreeMap<>();
        Path folder = directory.resolve(kind);
        if (!Files.isDirectory(folder)) {
            return found;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.startsWith(UNFINISHED)) {
                    Files.deleteIfExists(file);
                } else if (name.endsWith(SUFFIX)) {
                    byte[] document = Files.readAllBytes(file);
                    if (document.length == 0) {
                        // What a power cut leaves of a file whose content had not reached the disk.
                        LOG.atWarn().addKeyValue("file", file).log("record is empty and removed");
                        Files.deleteIfExists(file);
                    } else {
                        found.put(name.substring(0, name.length() - SUFFIX.length()), document);
                    }
                }
            }
        } catch (IOException e) {
            throw fault("read", kind, "*", e);
        }
        return found;
    }

    private Path file(String kind, String id) {
        if (!kind.matches("[a-z]+") || !id.matches("[A-Za-z0-9_-]{1,128}")) {
            throw RuntimeFault.invalid("name record " + kind + "/" + id + ": only letters, digits, - and _ are possible");
        }
        return directory.resolve(kind).resolve(id + SUFFIX);
    }

    private static RuntimeFault fault(String action, String kind, String id, IOException e) {
        return RuntimeFault.internal(action + " record " + kind + "/" + id + ": " + RuntimeFault.reason(e)
                + ": is the disk full or read-only?", e);
    }
}
