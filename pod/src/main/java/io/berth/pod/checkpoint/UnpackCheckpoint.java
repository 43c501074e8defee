package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.linux.FilesystemSpace;
import io.berth.snapshot.Changes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes the files of a checkpoint into a directory that only root can look into: it holds memory. The caller removes the
 * directory, also when this fails.
 */
public final class UnpackCheckpoint {

    private static final long LOG_LIMIT = 1L << 30;

    private final Path directory;

    /** @param directory does not exist yet */
    public UnpackCheckpoint(Path directory) {
        this.directory = directory;
    }

    /** Where CRIU's images are. */
    public Path images() {
        return directory.resolve("checkpoint");
    }

    /**
     * Writes all that a restore needs.
     *
     * @throws RuntimeFault DATA_LOSS when the files are not any more those that {@code checkpoint} was read from,
     *     RESOURCE_EXHAUSTED when the disk is full, else as {@link CheckpointSource#files}
     */
    public void unpack(Checkpoint checkpoint) {
        CheckpointSource source = checkpoint.source();
        try {
            Files.createDirectories(directory.getParent());
            var own = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
            Files.createDirectory(directory, own);
            Files.createDirectory(images(), own);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + directory + ": " + RuntimeFault.reason(e), e);
        }
        Map<String, byte[]> read = new HashMap<>();
        source.files((name, size, content) -> {
            if (Checkpoint.keep(source, name, content, read)) {
                return;
            }
            boolean isLog = name.equals(CheckpointArchive.LOG) || name.equals(CheckpointArchive.CRIO_LOG);
            if (isLog && size > LOG_LIMIT) {
                throw RuntimeFault.invalid("read checkpoint " + source.shown() + ": its log has more than the limit of "
                        + LOG_LIMIT + " bytes");
            }
            if (isLog || name.startsWith("checkpoint/") || name.equals(CheckpointArchive.CHANGES)) {
                requireSpace(source, size);
                write(source, name, content);
            }
        });
        // What was judged and what was written must be of one checkpoint.
        if (!Checkpoint.seal(read).equals(checkpoint.seal())) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "read checkpoint " + source.shown()
                    + ": it was changed meanwhile: try again when it is whole");
        }
    }

    private void write(CheckpointSource source, String name, InputStream content) throws IOException {
        try (OutputStream out = Channels.newOutputStream(Files.newByteChannel(directory.resolve(name),
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))))) {
            content.transferTo(out);
        } catch (FileAlreadyExistsException twice) {
            throw RuntimeFault.invalid("read checkpoint " + source.shown() + ": it has " + name + " twice");
        } catch (IOException e) {
            // Somebody else took what was free before.
            requireSpace(source, RuntimeFault.reason(e).contains("No space left") ? Long.MAX_VALUE : 0);
            throw e;
        }
    }

    // Not only when the disk is full, of which others would hear too.
    private void requireSpace(CheckpointSource source, long bytes) {
        long free = FilesystemSpace.of(directory).availableBytes();
        if (bytes > free) {
            throw new RuntimeFault(RuntimeFault.Kind.RESOURCE_EXHAUSTED, "unpack checkpoint " + source.shown() + " into "
                    + directory.getParent() + ": no space left on the disk, " + free + " bytes are free");
        }
    }

    /** What the container had changed in its root file system. */
    public Changes changes(Checkpoint checkpoint) {
        return new Changes(Optional.of(directory.resolve(CheckpointArchive.CHANGES)).filter(Files::exists),
                checkpoint.deleted(), CheckpointMounts.rootMode(criuImages(checkpoint)));
    }

    private CriuImages criuImages(Checkpoint checkpoint) {
        return new CriuImages(images(), checkpoint.source().shown());
    }

    /** Lets {@code log} begin with the lines that the container had written before, unless there is a log already. */
    public void continueLog(Path log) {
        Optional<Path> old = Stream.of(CheckpointArchive.LOG, CheckpointArchive.CRIO_LOG).map(directory::resolve)
                .filter(Files::exists).findFirst();
        if (old.isEmpty() || Files.exists(log)) {
            return;
        }
        try {
            Files.copy(old.get(), log);
        } catch (IOException e) {
            throw RuntimeFault.internal("write the log " + log + ": " + RuntimeFault.reason(e), e);
        }
    }
}
