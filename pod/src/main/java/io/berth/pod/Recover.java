package io.berth.pod;

import io.berth.base.RuntimeFault;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Namespaces;
import io.berth.pod.container.LostEnds;
import io.berth.pod.container.RemoveContainer;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.RemovePodSandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.pod.sandbox.StopPodSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes records and reality agree at start: what runs is adopted, what ended meanwhile is recorded, what a crash left half
 * done is finished or removed. A part that fails is logged and left on record; it never keeps Berth from starting.
 */
public final class Recover {

    private static final Logger LOG = LoggerFactory.getLogger(Recover.class);

    private final Node node;
    private final StopPodSandbox stopSandbox;
    private final RemovePodSandbox removeSandbox;
    private final RemoveContainer removeContainer;
    private final LostEnds lostEnds;

    public Recover(Node node, StopPodSandbox stopSandbox, RemovePodSandbox removeSandbox, RemoveContainer removeContainer) {
        this.node = node;
        this.stopSandbox = stopSandbox;
        this.removeSandbox = removeSandbox;
        this.removeContainer = removeContainer;
        this.lostEnds = new LostEnds(node);
    }

    /** To be called once, after the exit files were read and before the first request is served. */
    public void run() {
        node.inventory().containers().forEach(container ->
                safely("container", container.id(), () -> recover(container)));
        node.inventory().sandboxes().forEach(sandbox -> safely("sandbox", sandbox.id(), () -> recover(sandbox)));
        Set<String> live = new HashSet<>();
        node.inventory().sandboxes().stream().filter(Sandbox::networkAttached).map(Sandbox::id).forEach(live::add);
        safely("network", "", () -> node.network().recover(live));
        safely("orphans", "", this::removeOrphans);
    }

    private void recover(Container container) {
        switch (container.phase()) {
            case CREATING, REMOVING -> removeContainer.discard(container);
            case CREATED, RUNNING -> lostEnds.check(container);
            case EXITED -> { }
        }
    }

    private void recover(Sandbox sandbox) {
        switch (sandbox.phase()) {
            case CREATING -> removeSandbox.remove(sandbox.id());
            case STOPPING -> stopSandbox.stop(sandbox.id());
            case READY -> {
                SandboxNamespaces namespaces = new SandboxNamespaces(node);
                boolean whole = namespaces.pins(sandbox).values().stream().allMatch(Namespaces::isPinned);
                if (!whole) {
                    // After a reboot: nothing of it runs, and the kubelet makes a new one.
                    stopSandbox.stop(sandbox.id());
                }
            }
            case STOPPED -> { }
        }
    }

    private void removeOrphans() {
        for (String key : node.snapshots().activeKeys()) {
            // A container's own key is its id; keys of its image volumes begin with it.
            if (node.inventory().findContainer(key.substring(0, Math.min(64, key.length()))).isEmpty()) {
                safely("snapshot", key, () -> node.snapshots().remove(key));
            }
        }
        unknown(node.directories().containers(), id -> node.inventory().findContainer(id).isPresent());
        unknown(node.directories().sandboxes(), id -> node.inventory().findSandbox(id).isPresent());
        // Of a daemon that ended while it wrote one.
        safely("checkpoints", "", () -> DirectoryTree.remove(node.directories().checkpoints()));
        node.exits().reported().stream().filter(id -> node.inventory().findContainer(id).isEmpty())
                .forEach(id -> safely("exit file", id, () -> Files.deleteIfExists(node.directories().exits().resolve(id))));
    }

    private void unknown(Path parent, java.util.function.Predicate<String> known) {
        if (!Files.isDirectory(parent)) {
            return;
        }
        try (Stream<Path> entries = Files.list(parent)) {
            entries.filter(entry -> !known.test(entry.getFileName().toString())).toList()
                    .forEach(entry -> safely("directory", entry.toString(), () -> DirectoryTree.remove(entry)));
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + parent + ": " + RuntimeFault.reason(e), e);
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void safely(String what, String id, Work work) {
        try {
            work.run();
        } catch (Exception e) {
            LOG.atError().addKeyValue("what", what).addKeyValue("id", id).setCause(e).log("recovery failed, left on record");
        }
    }
}
