package io.berth.server.extension;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** The sandboxes that an extension's network has or is about to get: a file for each, written beside and renamed. */
record AttachmentRecords(Path directory) {

    private static final String ENDING = ".json";

    /**
     * One sandbox.
     *
     * @param attached whether the extension has said so
     */
    record Entry(String sandboxId, String podNamespace, String podName, String podUid, boolean attached, List<String> addresses) {

        Entry attachedAs(List<String> given) {
            return new Entry(sandboxId, podNamespace, podName, podUid, true, given);
        }
    }

    Optional<Entry> find(String sandboxId) {
        try {
            return Optional.of(JsonMapper.shared().readValue(Files.readAllBytes(file(sandboxId)), Entry.class));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException | JacksonException e) {
            throw RuntimeFault.internal("read network record of sandbox " + sandboxId + ": " + e.getMessage(), e);
        }
    }

    void write(Entry entry) {
        Path file = file(entry.sandboxId());
        Path beside = file.resolveSibling("." + entry.sandboxId());
        try {
            Files.createDirectories(directory);
            try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer bytes = ByteBuffer.wrap(JsonMapper.shared().writeValueAsBytes(entry));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RuntimeFault.internal("write network record of sandbox " + entry.sandboxId() + ": " + RuntimeFault.reason(e), e);
        }
    }

    void remove(String sandboxId) {
        try {
            Files.deleteIfExists(file(sandboxId));
        } catch (IOException e) {
            throw RuntimeFault.internal("remove network record of sandbox " + sandboxId + ": " + RuntimeFault.reason(e), e);
        }
    }

    Set<String> ids() {
        if (!Files.isDirectory(directory)) {
            return Set.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(ENDING))
                    .map(name -> name.substring(0, name.length() - ENDING.length())).filter(RandomId::isId)
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw RuntimeFault.internal("list network records in " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }

    private Path file(String sandboxId) {
        if (!RandomId.isId(sandboxId)) {
            throw RuntimeFault.invalid("find network record of \"" + sandboxId + "\": it is no id");
        }
        return directory.resolve(sandboxId + ENDING);
    }
}
