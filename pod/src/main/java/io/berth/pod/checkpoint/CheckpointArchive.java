package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.pod.record.Container;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The tar archive of a checkpoint, with the names that the peers and their tools use: {@code checkpoint/} (CRIU's images),
 * {@code rootfs-diff.tar} (an OCI layer) and {@code deleted.files} (for readers that do not know whiteouts),
 * {@code spec.dump} (the OCI specification), {@code config.dump} (which container, image and runtime), {@code status.dump},
 * {@code bind.mounts}, {@code container.log}, CRIU's {@code dump.log} and {@code stats-dump}. It holds the container's
 * memory, so only its owner may read it.
 */
public final class CheckpointArchive {

    static final String CONFIG = "config.dump";
    static final String SPEC = "spec.dump";
    static final String DELETED = "deleted.files";
    static final String CHANGES = "rootfs-diff.tar";
    static final String LOG = "container.log";
    /** The same in CRI-O's archives. */
    static final String CRIO_LOG = "io.kubernetes.cri-o.LogPath";

    private CheckpointArchive() {}

    /**
     * What else was so when the container stood still.
     *
     * @param deleted what is deleted in {@code rootfs-diff.tar}
     * @param logBytes the size of its log: what it says afterwards, a container that goes on from here says itself
     */
    public record Moment(List<String> deleted, long logBytes) {

        public Moment {
            deleted = List.copyOf(deleted);
        }
    }

    /**
     * Writes the archive beside {@code target} and renames it, so that it is there whole or not at all.
     *
     * @param work the directory with {@code checkpoint/}, {@code rootfs-diff.tar} and {@code dump.log}
     * @param specification the container's {@code config.json}
     */
    public static void write(Path target, Path work, Path specification, Container container, Moment moment) {
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        try {
            Files.deleteIfExists(partial);
            ForgetRootMode.in(work.resolve("checkpoint"));
            JsonNode spec = JsonMapper.shared().readTree(Files.readAllBytes(specification));
            try (OutputStream file = new BufferedOutputStream(Channels.newOutputStream(Files.newByteChannel(partial,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))), 1 << 16);
                    TarArchiveOutputStream tar = new TarArchiveOutputStream(file)) {
                tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
                tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
                // The small ones first: a reader need not go through the memory for them.
                json(tar, CONFIG, CheckpointDumps.config(container));
                json(tar, SPEC, CheckpointDumps.specification(spec, container));
                json(tar, "status.dump", CheckpointDumps.status(container));
                json(tar, "bind.mounts", CheckpointDumps.bindMounts(spec));
                json(tar, DELETED, moment.deleted());
                for (String name : List.of("dump.log", "stats-dump", CHANGES)) {
                    file(tar, name, work.resolve(name), Long.MAX_VALUE);
                }
                if (container.logPath().isPresent()) {
                    file(tar, LOG, container.logPath().get(), moment.logBytes());
                }
                directory(tar, "checkpoint/");
                for (Path image : images(work)) {
                    file(tar, "checkpoint/" + image.getFileName(), image, Long.MAX_VALUE);
                }
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            discard(partial);
            throw RuntimeFault.internal("write checkpoint " + target + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static List<Path> images(Path work) throws IOException {
        try (Stream<Path> files = Files.list(work.resolve("checkpoint"))) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    // A file that is not there is left out: a log that was moved away, statistics of another CRIU.
    private static void file(TarArchiveOutputStream tar, String name, Path source, long most) throws IOException {
        if (!Files.isRegularFile(source)) {
            return;
        }
        try (InputStream in = Files.newInputStream(source)) {
            long size = Math.min(Files.size(source), most);
            tar.putArchiveEntry(entry(name, size));
            // What a log gets meanwhile comes too late.
            byte[] buffer = new byte[1 << 16];
            int count = 0;
            for (long left = size; left > 0 && count >= 0; left -= count) {
                count = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                tar.write(buffer, 0, Math.max(0, count));
            }
            tar.closeArchiveEntry();
        }
    }

    private static void json(TarArchiveOutputStream tar, String name, Object content) throws IOException {
        byte[] bytes = JsonMapper.shared().writeValueAsBytes(content);
        tar.putArchiveEntry(entry(name, bytes.length));
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    // checkpointctl takes an archive without the directory for none.
    private static void directory(TarArchiveOutputStream tar, String name) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setMode(0700);
        tar.putArchiveEntry(entry);
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
