package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.linux.DirectoryTree;
import io.berth.pod.Node;
import io.berth.pod.checkpoint.CheckpointArchive;
import io.berth.pod.record.Container;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * Writes a running container with its memory to an archive, while it runs on. Off unless the operator enables it: the
 * archive holds whatever secrets the container holds. Source: KEP-2008, criu(8).
 */
public final class CheckpointContainer {

    private static final Duration USUAL_LIMIT = Duration.ofMinutes(10);

    private final Node node;

    public CheckpointContainer(Node node) {
        this.node = node;
    }

    /**
     * Writes the checkpoint.
     *
     * @param archive absolute; its directory exists; a file of that name is replaced when the new one is whole
     * @param limit zero for the usual ten minutes
     * @throws RuntimeFault UNSUPPORTED where it is switched off, FAILED_PRECONDITION without CRIU or when the container does
     *     not run, INVALID_ARGUMENT for an impossible archive, else what the runtime says; nothing is left behind then
     */
    public void checkpoint(String idOrPrefix, String archive, Duration limit) {
        String id = node.inventory().container(idOrPrefix).id();
        requireCriu(id);
        Path target = target(id, archive);
        try (var held = node.verbs().lock(id)) {
            Container container = node.inventory().container(id);
            if (container.phase() != Container.Phase.RUNNING) {
                throw RuntimeFault.precondition("checkpoint container " + id + ": it does not run");
            }
            Path work = node.directories().checkpoint(id);
            try {
                node.timeline().operation(id, "CheckpointContainer").run("write",
                        () -> write(container, work, target, limit.isZero() ? USUAL_LIMIT : limit));
            } finally {
                DirectoryTree.remove(work);
            }
        }
    }

    private void write(Container container, Path work, Path target, Duration limit) {
        String id = container.id();
        Path images = work.resolve("checkpoint");
        try {
            Files.createDirectories(images);
            Files.createFile(work.resolve("dump.log"));
            node.runtime(container.handler()).checkpoint(id, images, work, limit);
            try (OutputStream diff = Files.newOutputStream(work.resolve("rootfs-diff.tar"))) {
                node.snapshots().writeChanges(id, diff);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("checkpoint container " + id + ": " + RuntimeFault.reason(e), e);
        }
        CheckpointArchive.write(target, work, node.directories().bundle(id).resolve("config.json"), container);
    }

    private void requireCriu(String id) {
        if (!node.settings().checkpoints()) {
            throw RuntimeFault.unsupported("checkpoint container " + id
                    + ": checkpoints are switched off on this node: set runtime.enable_criu_support = true");
        }
        boolean there = Stream.of(Command.searchPath().split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "criu")));
        if (!there) {
            throw RuntimeFault.precondition("checkpoint container " + id + ": there is no program criu in PATH: install it");
        }
    }

    private static Path target(String id, String archive) {
        Path target = Path.of(archive);
        if (!target.isAbsolute() || target.getFileName() == null || !Files.isDirectory(target.getParent())
                || Files.isDirectory(target)) {
            throw RuntimeFault.invalid("checkpoint container " + id + " to \"" + archive
                    + "\": the absolute path of a file in a directory that exists is needed");
        }
        return target;
    }
}
