package io.berth.server.extension;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ends of pods and containers that one extension has been told of: an empty file for each, as long as what has ended is on
 * record. What has ended and is not among them, the extension has still to hear of, whatever became of the daemon meanwhile.
 * Used by one thread.
 */
final class HeardEnds {

    private static final Logger LOG = LoggerFactory.getLogger(HeardEnds.class);

    private final Path directory;
    private final Set<String> ids;

    private HeardEnds(Path directory, Set<String> ids) {
        this.directory = directory;
        this.ids = ids;
    }

    /**
     * Those in {@code directory}.
     *
     * @param ended what has ended up to now: of that an extension hears nothing that is here for the first time
     */
    static HeardEnds open(Path directory, Collection<String> ended) {
        try {
            if (!Files.isDirectory(directory)) {
                begin(directory, ended);
            }
            try (Stream<Path> files = Files.list(directory)) {
                return new HeardEnds(directory, files.map(file -> file.getFileName().toString()).filter(RandomId::isId)
                        .collect(Collectors.toCollection(HashSet::new)));
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("read which ends were told, in " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    // Renamed when it is whole: half of it would be told as new.
    private static void begin(Path directory, Collection<String> ended) throws IOException {
        Files.createDirectories(directory.getParent());
        // Of a fixed name: what a daemon left that was killed here is used again.
        Path beside = Files.createDirectories(directory.resolveSibling("new-" + directory.getFileName()));
        for (String id : ended) {
            Path note = beside.resolve(id);
            if (!Files.exists(note)) {
                Files.createFile(note);
            }
        }
        Files.move(beside, directory, StandardCopyOption.ATOMIC_MOVE);
    }

    boolean has(String id) {
        return ids.contains(id);
    }

    void add(String id) {
        if (ids.add(id)) {
            try {
                Files.createFile(directory.resolve(id));
            } catch (IOException e) {
                // It is told once more after the next start, which is better than never.
                LOG.atWarn().addKeyValue("id", id).addKeyValue("reason", RuntimeFault.reason(e)).log("a told end cannot be noted");
            }
        }
    }

    void remove(String id) {
        if (ids.remove(id)) {
            try {
                Files.deleteIfExists(directory.resolve(id));
            } catch (IOException e) {
                LOG.atWarn().addKeyValue("id", id).addKeyValue("reason", RuntimeFault.reason(e)).log("the note of an end is left");
            }
        }
    }

    /** Forgets what is not among {@code known}. */
    void retain(Set<String> known) {
        ids.stream().filter(id -> !known.contains(id)).toList().forEach(this::remove);
    }
}
