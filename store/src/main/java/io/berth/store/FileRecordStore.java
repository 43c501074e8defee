package io.berth.store;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file a record, {@code DIRECTORY/KIND/ID.json}, written beside and put in the place of the old one.
 *
 * <p>It does not take that place by a rename over the old file: ext4 answers that with writing the data out at once. It
 * becomes {@code ID.json.next}, then the old one is removed, then it gets its name. Where there is a next one, it counts.
 *
 * <p>No fsync: a record is about processes, mounts and namespaces of the running kernel, which a power cut ends with it;
 * against a crash of the daemon the page cache is enough. docs/adr/0002 has the reasons and figures.
 */
public final class FileRecordStore implements RecordStore {

    private static final Logger LOG = LoggerFactory.getLogger(FileRecordStore.class);
    private static final String SUFFIX = ".json";
    private static final String NEXT = ".next";
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
            write(beside, document);
            if (Files.exists(file)) {
                Path next = next(file);
                Files.move(beside, next, StandardCopyOption.ATOMIC_MOVE);
                Files.delete(file);
                Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
                // Of a write that failed halfway: it is older now.
                Files.deleteIfExists(next(file));
            }
        } catch (IOException e) {
            try {
                Files.deleteIfExists(beside);
            } catch (IOException leftForTheNextStart) {
                e.addSuppressed(leftForTheNextStart);
            }
            throw fault("write", kind, id, e);
        }
    }

    private static void write(Path file, byte[] document) throws IOException {
        try {
            Files.write(file, document);
        } catch (NoSuchFileException firstOfItsKind) {
            Files.createDirectories(file.getParent());
            Files.write(file, document);
        }
    }

    private static Path next(Path file) {
        return file.resolveSibling(file.getFileName() + NEXT);
    }

    @Override
    public void remove(String kind, String id) {
        try {
            Files.deleteIfExists(next(file(kind, id)));
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
        try {
            for (Path file : files(folder)) {
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

    // With what a crash left between two names under its own one.
    private static List<Path> files(Path folder) throws IOException {
        for (Path file : list(folder)) {
            String name = file.getFileName().toString();
            if (name.endsWith(SUFFIX + NEXT)) {
                Files.move(file, file.resolveSibling(name.substring(0, name.length() - NEXT.length())),
                        StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return list(folder);
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
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
