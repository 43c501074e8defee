package io.berth.snapshot;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is known of a layer or an active file system, as lines of a key, a blank and a value. Immutable. */
record SnapshotRecord(List<String> lines) {

    static final String NAME = "record";
    private static final long SIZE_LIMIT = 1 << 20;

    static SnapshotRecord of(String... keysAndValues) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            lines.add(keysAndValues[i] + " " + keysAndValues[i + 1]);
        }
        return new SnapshotRecord(List.copyOf(lines));
    }

    static SnapshotRecord of(RootFilesystem root) {
        SnapshotRecord record = of("mount", root.mountPoint().toString(), "chain",
                String.join(" ", root.chain().stream().map(Digest::toString).toList()));
        return root.isReadOnly() ? record.with("readonly", "yes") : record;
    }

    /**
     * The root filesystem that this is the record of.
     *
     * @param upper where its changes go, if it has any
     */
    RootFilesystem root(String key, Path upper) {
        List<Digest> chain = value("chain").map(text -> List.of(text.split(" "))).orElse(List.of())
                .stream().map(Digest::parse).toList();
        return new RootFilesystem(key, chain, Path.of(value("mount").orElseThrow()),
                value("readonly").isPresent() ? Optional.empty() : Optional.of(upper));
    }

    /** As above, of one whose changes go where nobody but its snapshotter knows. */
    RootFilesystem root(String key) {
        return root(key, Path.of(value("mount").orElseThrow()));
    }

    SnapshotRecord with(String key, String value) {
        List<String> more = new ArrayList<>(lines.stream().filter(line -> !line.startsWith(key + " ")).toList());
        more.add(key + " " + value);
        return new SnapshotRecord(List.copyOf(more));
    }

    Optional<String> value(String key) {
        return lines.stream().filter(line -> line.startsWith(key + " ")).map(line -> line.substring(key.length() + 1))
                .filter(value -> !value.isEmpty()).findFirst();
    }

    static SnapshotRecord read(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        if (Files.size(file) > SIZE_LIMIT) {
            throw new IOException("the record is too large");
        }
        return new SnapshotRecord(Files.readString(file).lines().toList());
    }

    /** Writes beside and renames; with {@code durable} waits for the disk. */
    void write(Path directory, boolean durable) {
        Path beside = directory.resolve("." + NAME + ".new");
        try (FileChannel out = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer text = ByteBuffer.wrap(String.join("\n", lines).concat("\n").getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                out.write(text);
            }
            if (durable) {
                out.force(true);
            }
            Files.move(beside, directory.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw RuntimeFault.internal("write " + directory.resolve(NAME) + ": " + RuntimeFault.reason(e), e);
        }
    }
}
