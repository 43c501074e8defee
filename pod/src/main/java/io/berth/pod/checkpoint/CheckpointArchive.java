package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.pod.record.Container;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tar archive of a checkpoint, with the names that the peers and their tools use: {@code checkpoint/} (CRIU's images),
 * {@code rootfs-diff.tar} (an OCI layer), {@code spec.dump} (the OCI specification), {@code config.dump} (which container,
 * image and runtime), {@code dump.log}. It holds the container's memory, so only its owner may read it.
 */
public final class CheckpointArchive {

    private CheckpointArchive() {}

    /**
     * Writes the archive beside {@code target} and renames it, so that it is there whole or not at all.
     *
     * @param work the directory with {@code checkpoint/}, {@code rootfs-diff.tar} and {@code dump.log}
     * @param specification the container's {@code config.json}
     */
    public static void write(Path target, Path work, Path specification, Container container) {
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        try {
            Files.deleteIfExists(partial);
            try (OutputStream file = new BufferedOutputStream(Channels.newOutputStream(Files.newByteChannel(partial,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))), 1 << 16);
                    TarArchiveOutputStream tar = new TarArchiveOutputStream(file)) {
                tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
                tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
                bytes(tar, "config.dump", JsonMapper.shared().writeValueAsBytes(description(container)));
                file(tar, "spec.dump", specification);
                file(tar, "dump.log", work.resolve("dump.log"));
                file(tar, "rootfs-diff.tar", work.resolve("rootfs-diff.tar"));
                for (Path image : images(work)) {
                    file(tar, "checkpoint/" + image.getFileName(), image);
                }
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            discard(partial);
            throw RuntimeFault.internal("write checkpoint " + target + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static ObjectNode description(Container container) {
        return JsonNodeFactory.instance.objectNode().put("id", container.id())
                .put("name", container.config().getMetadata().getName())
                .put("rootfsImage", container.imageId()).put("rootfsImageRef", container.imageRef())
                .put("rootfsImageName", container.config().getImage().getUserSpecifiedImage())
                .put("runtime", container.handler())
                .put("createdTime", Instant.ofEpochSecond(0, container.createdAtNanos()).toString())
                .put("checkpointedTime", Instant.now().toString())
                .put("restoredTime", "0001-01-01T00:00:00Z").put("restored", false);
    }

    private static List<Path> images(Path work) throws IOException {
        try (Stream<Path> files = Files.list(work.resolve("checkpoint"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void file(TarArchiveOutputStream tar, String name, Path source) throws IOException {
        long size = Files.size(source);
        tar.putArchiveEntry(entry(name, size));
        Files.copy(source, tar);
        tar.closeArchiveEntry();
    }

    private static void bytes(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        tar.putArchiveEntry(entry(name, content.length));
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static TarArchiveEntry entry(String name, long size) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setMode(0600);
        entry.setSize(size);
        return entry;
    }

    private static void discard(Path partial) {
        try {
            Files.deleteIfExists(partial);
        } catch (IOException stays) {
            // The failure that led here says more.
            return;
        }
    }
}
