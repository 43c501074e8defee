package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.image.Image;
import io.berth.image.UnpackImage;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Mounts;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.snapshot.Changes;
import io.berth.snapshot.MappedOwners;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The OCI bundle of a container: its directory, root file system and specification. */
final class ContainerBundle {

    private final Node node;

    ContainerBundle(Node node) {
        this.node = node;
    }

    /** @param label the SELinux label that all files are seen with */
    void prepareRootfs(Container container, Image image, Optional<MappedOwners> owners, Optional<String> label) {
        node.snapshotter(container.handler()).prepare(container.id(), image.chainIds(), mountPoint(container, image), owners, label);
    }

    /** As above, with what a checkpoint says was changed in it. */
    void prepareRootfs(Container container, Image image, Optional<String> label, Changes changes) {
        node.snapshotter(container.handler()).prepareChanged(container.id(), image.chainIds(), mountPoint(container, image), label,
                changes);
    }

    private Path mountPoint(Container container, Image image) {
        Path rootfs = node.directories().rootfs(container.id());
        try {
            Files.createDirectories(rootfs);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + rootfs + ": " + RuntimeFault.reason(e), e);
        }
        // Fast when all layers are there; after a power cut a layer may have to come back from its blob.
        new UnpackImage(node.images(), node.runtime(container.handler()).handler().snapshotter()).ensure(image);
        return rootfs;
    }

    void writeSpec(String id, ObjectNode spec) {
        writePrivate(node.directories().bundle(id).resolve("config.json"), JsonMapper.shared().writeValueAsBytes(spec));
    }

    /** Writes a file that only root may read: the environment of a container holds secrets. */
    static void writePrivate(Path file, byte[] content) {
        try (var out = Files.newByteChannel(file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer left = ByteBuffer.wrap(content);
            while (left.hasRemaining()) {
                out.write(left);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("write " + file + ": " + RuntimeFault.reason(e), e);
        }
    }

    void prepareLog(Container container) {
        container.logPath().ifPresent(log -> {
            try {
                Files.createDirectories(log.getParent());
            } catch (IOException e) {
                throw RuntimeFault.internal("make the log directory " + log.getParent() + ": " + RuntimeFault.reason(e), e);
            }
        });
    }

    /** Unmounts and deletes all of it; the container's processes have ended. Idempotent. */
    void remove(String id) {
        Mounts.unmount(node.directories().rootfs(id));
        node.snapshotters().activeKeys().stream().filter(key -> key.startsWith(id)).forEach(node.snapshotters()::remove);
        DirectoryTree.remove(node.directories().bundle(id));
        DirectoryTree.remove(node.directories().restore(id));
    }
}
