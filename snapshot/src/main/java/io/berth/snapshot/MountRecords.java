package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What root filesystems a snapshotter was asked for, {@code <directory>/<key>/record} each, written before it is asked.
 * Answers from memory. Thread-safe; calls for the same key are the caller's to order.
 */
final class MountRecords {

    private static final Logger LOG = LoggerFactory.getLogger(MountRecords.class);

    private final Path directory;
    private final Map<String, RootFilesystem> known = new ConcurrentHashMap<>();

    MountRecords(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
            try (DirectoryStream<Path> folders = Files.newDirectoryStream(directory)) {
                folders.forEach(this::load);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("read " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private void load(Path folder) {
        String key = folder.getFileName().toString();
        try {
            known.put(key, SnapshotRecord.read(folder).root(key));
        } catch (IOException | RuntimeException e) {
            // A crash before the record was there: the snapshotter was not asked yet.
            LOG.atWarn().addKeyValue("key", key).addKeyValue("reason", RuntimeFault.reason(e)).log("root filesystem left out");
            RemoveTree.at(folder);
        }
    }

    Set<String> keys() {
        return Set.copyOf(known.keySet());
    }

    Collection<RootFilesystem> all() {
        return known.values();
    }

    Optional<RootFilesystem> find(String key) {
        return Optional.ofNullable(known.get(key));
    }

    /**
     * Writes down that {@code wanted} is to be.
     *
     * @return whether it is new
     * @throws RuntimeFault ALREADY_EXISTS when the key stands for something else
     */
    boolean claim(RootFilesystem wanted) {
        RootFilesystem there = known.get(wanted.key());
        if (there != null && !there.equals(wanted)) {
            throw new RuntimeFault(Kind.ALREADY_EXISTS, "mount root filesystem " + wanted.key() + ": the key is in use at "
                    + there.mountPoint() + " with other layers or another place");
        }
        if (there != null) {
            return false;
        }
        try {
            Path folder = Files.createDirectories(directory.resolve(wanted.key()));
            SnapshotRecord.of(wanted).write(folder, false);
        } catch (IOException e) {
            throw RuntimeFault.internal("mount root filesystem " + wanted.key() + ": " + RuntimeFault.reason(e), e);
        }
        known.put(wanted.key(), wanted);
        return true;
    }

    void remove(String key) {
        RemoveTree.at(directory.resolve(key));
        known.remove(key);
    }
}
