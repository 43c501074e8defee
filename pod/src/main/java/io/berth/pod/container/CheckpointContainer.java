package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.DirectoryTree;
import io.berth.pod.Node;
import io.berth.pod.checkpoint.CheckpointArchive;
import io.berth.pod.record.Container;
import io.berth.runtime.Checkpoints;
import io.berth.snapshot.Snapshotter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Writes a running container with its memory to an archive. It stands still meanwhile, so that its files are those that its
 * memory knows, and runs on afterwards. Off unless the operator enables it: the archive holds whatever secrets the container
 * holds. Source: KEP-2008, criu(8).
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
        Container found = node.inventory().container(idOrPrefix);
        String id = found.id();
        Checkpoints checkpoints = RequireCriu.of(node, found.handler(), "checkpoint container " + id);
        Path target = target(id, archive);
        try (var held = node.verbs().lock(id)) {
            Container container = node.inventory().container(id);
            if (container.phase() != Container.Phase.RUNNING) {
                throw RuntimeFault.precondition("checkpoint container " + id + ": it does not run");
            }
            Path work = node.directories().checkpoint(id);
            Timeline.Operation timeline = node.timeline().operation(id, "CheckpointContainer");
            try {
                CheckpointArchive.Moment moment = dump(container, checkpoints, work, timeline,
                        limit.isZero() ? USUAL_LIMIT : limit);
                timeline.run("archive", () -> CheckpointArchive.write(target, work,
                        node.directories().bundle(id).resolve("config.json"), container, moment));
            } finally {
                DirectoryTree.remove(work);
            }
        }
    }

    /** Writes memory and files while the container stands still. */
    private CheckpointArchive.Moment dump(Container container, Checkpoints checkpoints, Path work, Timeline.Operation timeline,
            Duration limit) {
        String id = container.id();
        Path images = work.resolve("checkpoint");
        try {
            Files.createDirectories(images);
            Files.createFile(work.resolve("dump.log"));
            try (OutputStream diff = Files.newOutputStream(work.resolve("rootfs-diff.tar"))) {
                CheckpointArchive.Moment moment = whileFrozen(container, checkpoints, timeline, () -> {
                    timeline.run("memory", () -> checkpoints.write(id, images, work, limit));
                    List<String> deleted = timeline.step("changes", () -> changedIn(id).writeChanges(id, diff));
                    return new CheckpointArchive.Moment(deleted, logBytes(container));
                });
                timeline.run("thawed", () -> checkpoints.thaw(id));
                return moment;
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("checkpoint container " + id + ": " + RuntimeFault.reason(e), e);
        }
    }

    private Snapshotter changedIn(String id) {
        return node.snapshotters().holding(id).orElseThrow(() ->
                RuntimeFault.notFound("checkpoint container " + id + ": it has no root file system"));
    }

    // The monitor has written by now what the container had said.
    private static long logBytes(Container container) {
        return container.logPath().map(log -> log.toFile().length()).orElse(0L);
    }

    // From its first step on recovery lets the container go on when this daemon does not come to that.
    private <T> T whileFrozen(Container container, Checkpoints checkpoints, Timeline.Operation timeline, Supplier<T> work) {
        try {
            timeline.run("frozen", () -> checkpoints.freeze(container.id()));
            return work.get();
        } catch (RuntimeException | Error failure) {
            try {
                thaw(container);
            } catch (RuntimeException secondary) {
                failure.addSuppressed(secondary);
            }
            throw failure;
        }
    }

    /** Lets containers go on that a daemon which ended while it wrote them left standing, and removes what it had written. */
    public void recover() {
        Path unfinished = node.directories().checkpoints();
        if (!Files.isDirectory(unfinished)) {
            return;
        }
        try (Stream<Path> all = Files.list(unfinished)) {
            all.map(work -> work.getFileName().toString()).flatMap(id -> node.inventory().findContainer(id).stream())
                    .filter(container -> container.phase() == Container.Phase.RUNNING).forEach(this::thaw);
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + unfinished + ": " + RuntimeFault.reason(e), e);
        }
        DirectoryTree.remove(unfinished);
    }

    private void thaw(Container container) {
        if (node.runtime(container.handler()).status(container.id()).filter("paused"::equals).isPresent()) {
            node.runtime(container.handler()).checkpoints().ifPresent(checkpoints -> checkpoints.thaw(container.id()));
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
