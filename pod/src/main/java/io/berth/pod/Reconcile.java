package io.berth.pod;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Namespaces;
import io.berth.network.DetachRequest;
import io.berth.pod.container.CreateContainer;
import io.berth.pod.container.RemoveContainer;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.RemovePodSandbox;
import io.berth.pod.sandbox.RunPodSandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.pod.sandbox.SandboxPool;
import io.berth.pod.sandbox.StopPodSandbox;
import io.berth.runtime.ContainerRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares the records with what is on the node, again and again, and takes away what no record accounts for: what a failed
 * step could not take back, what a monitor wrote after its container was removed. Only below Berth's own directories and
 * its own cgroup. Thread-safe; one run at a time.
 *
 * <p>A record is written before the first step and removed after the last one. So whatever is seen first and has no record
 * when that is looked up afterwards belongs to nobody: no lock is needed against verbs that run at the same time.
 */
public final class Reconcile {

    private static final Logger LOG = LoggerFactory.getLogger(Reconcile.class);
    private static final Duration STALE_BLOBS = Duration.ofHours(1);

    private final Node node;
    private final RunPodSandbox runSandbox;
    private final StopPodSandbox stopSandbox;
    private final RemovePodSandbox removeSandbox;
    private final CreateContainer createContainer;
    private final RemoveContainer removeContainer;
    private final SandboxPool pool;
    private final Findings findings = new Findings();

    public Reconcile(Node node, RunPodSandbox runSandbox, StopPodSandbox stopSandbox, RemovePodSandbox removeSandbox,
            CreateContainer createContainer, RemoveContainer removeContainer, SandboxPool pool) {
        this.node = node;
        this.runSandbox = runSandbox;
        this.stopSandbox = stopSandbox;
        this.removeSandbox = removeSandbox;
        this.createContainer = createContainer;
        this.removeContainer = removeContainer;
        this.pool = pool;
    }

    /** Runs every {@code period}, on a thread of its own, until that is interrupted. */
    public Thread watch(Duration period) {
        return Thread.ofVirtual().name("reconcile").start(() -> {
            try {
                while (true) {
                    Thread.sleep(period);
                    run();
                }
            } catch (InterruptedException ended) {
                LOG.atDebug().log("reconciliation ended");
            }
        });
    }

    /** What was found so far. */
    public Findings.Report report() {
        return findings.report();
    }

    /** Compares once. What cannot be mended is kept as a finding and tried again the next time. */
    public synchronized void run() {
        compare();
        sweep();
    }

    /** Removes layers and blobs that no image needs: those of broken pulls after a while. Reads the whole store. */
    public void sweep() {
        part("layers", () -> node.images().sweep(STALE_BLOBS));
    }

    /** As {@link #run} without {@link #sweep}: what cannot wait at the start. */
    synchronized void compare() {
        long at = UnixTime.now();
        long from = System.nanoTime();
        part("unfinished", this::finishWhatWasBegun);
        part("files", this::removeUnknownFiles);
        part("cgroups", this::removeUnknownCgroups);
        part("monitors", this::endUnknown);
        part("addresses", this::giveBackUnknownAddresses);
        part("namespaces", this::tellMissingNamespaces);
        tellUnreadableRecords();
        node.timeline().forgetUnless(id -> isContainer(id) || isSandbox(id));
        findings.ran(at, System.nanoTime() - from);
    }

    // A part that cannot even look must not keep the others from it.
    private void part(String what, Findings.Cure work) {
        try {
            Timeline.unrecorded("Reconcile").run(what, work::run);
        } catch (Exception e) {
            findings.cure("node", what, "compared", () -> {
                throw e;
            });
        }
    }

    private boolean isContainer(String id) {
        return node.inventory().findContainer(id).map(Container::id).filter(id::equals).isPresent()
                || node.inventory().unreadable().containsKey(id);
    }

    private boolean isSandbox(String id) {
        return node.inventory().findSandbox(id).map(Sandbox::id).filter(id::equals).isPresent()
                || node.inventory().unreadable().containsKey(id);
    }

    private void finishWhatWasBegun() {
        for (Container container : node.inventory().containers()) {
            boolean leftover = container.phase() == Container.Phase.CREATING
                    && !createContainer.isCreating(container.sandboxId(), container.config());
            if (leftover || container.phase() == Container.Phase.REMOVING) {
                unlessHeld(container.id(), () -> node.inventory().findContainer(container.id())
                        .filter(now -> now.phase() == container.phase()).ifPresent(now ->
                                findings.cure("container", now.id(), "removed", () -> removeContainer.discard(now))));
            }
        }
        for (Sandbox sandbox : node.inventory().sandboxes()) {
            boolean leftover = switch (sandbox.phase()) {
                case PREPARED -> !pool.holds(sandbox.id());
                case CREATING -> !runSandbox.isCreating(sandbox.config());
                case READY, STOPPING, STOPPED, REMOVING -> false;
            };
            if (leftover || sandbox.phase() == Sandbox.Phase.STOPPING || sandbox.phase() == Sandbox.Phase.REMOVING) {
                unlessHeld(sandbox.id(), () -> node.inventory().findSandbox(sandbox.id())
                        .filter(now -> now.phase() == sandbox.phase()).ifPresent(now -> finish(now)));
            }
        }
    }

    private void finish(Sandbox sandbox) {
        switch (sandbox.phase()) {
            case PREPARED -> findings.cure("sandbox", sandbox.id(), "removed", () -> pool.discard(sandbox.id()));
            case CREATING, REMOVING ->
                    findings.cure("sandbox", sandbox.id(), "removed", () -> removeSandbox.remove(sandbox.id()));
            case STOPPING -> findings.cure("sandbox", sandbox.id(), "stopped", () -> stopSandbox.stop(sandbox.id()));
            case READY, STOPPED -> { }
        }
    }

    // Never behind somebody who works on it: that one may hang. What has changed until it is held is looked at again.
    private void unlessHeld(String id, Runnable work) {
        node.verbs().tryLock(id).ifPresent(held -> {
            try (held) {
                work.run();
            }
        });
    }

    private void removeUnknownFiles() throws IOException {
        for (String key : node.snapshotters().activeKeys()) {
            // A container's own key is its id; keys of its image volumes begin with it.
            if (!isContainer(key.substring(0, Math.min(64, key.length())))) {
                findings.cure("snapshot", key, "removed", () -> node.snapshotters().remove(key));
            }
        }
        // Some runtimes have a bundle for each sandbox too.
        unknown(node.directories().containers(), id -> isContainer(id) || isSandbox(id), "bundle",
                DirectoryTree::remove);
        unknown(node.directories().restores(), this::isContainer, "checkpoint", DirectoryTree::remove);
        unknown(node.directories().sandboxes(), this::isSandbox, "sandbox directory", DirectoryTree::remove);
        unknown(node.directories().exits(), this::isContainer, "exit file", Files::deleteIfExists);
    }

    private interface Removal {
        void remove(Path entry) throws IOException;
    }

    private void unknown(Path parent, Predicate<String> known, String kind, Removal removal) throws IOException {
        for (Path entry : entries(parent)) {
            if (!known.test(entry.getFileName().toString())) {
                findings.cure(kind, entry.toString(), "removed", () -> removal.remove(entry));
            }
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        // conmon's own temporary files begin with a dot.
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry -> !entry.getFileName().toString().startsWith(".")).toList();
        }
    }

    // Parents that a client named are the client's to clean.
    private void removeUnknownCgroups() throws IOException {
        String own = node.settings().defaultCgroup();
        for (Path top : node.cgroups().directories(own)) {
            for (Path group : entries(top)) {
                removeUnlessKnown(own, group, this::isSandbox);
                for (Path inner : Files.isDirectory(group) ? entries(group) : List.<Path>of()) {
                    // Some runtimes run a container of the sandbox's own in it.
                    removeUnlessKnown(own + "/" + group.getFileName(), inner, id -> isContainer(id) || isSandbox(id));
                }
            }
        }
    }

    private void removeUnlessKnown(String parent, Path group, Predicate<String> known) {
        String name = group.getFileName().toString();
        if (io.berth.base.RandomId.isId(name) && Files.isDirectory(group) && !known.test(name)) {
            findings.cure("cgroup", parent + "/" + name, "removed", () -> {
                node.cgroups().kill(parent + "/" + name);
                node.cgroups().remove(parent + "/" + name);
            });
        }
    }

    private void endUnknown() {
        // Two handlers may share a program and with it what is found of it.
        Map<String, ContainerRuntime.Leftover> found = new LinkedHashMap<>();
        node.runtimes().values().stream().flatMap(runtime -> runtime.leftovers(this::isContainer, this::isSandbox).stream())
                .forEach(leftover -> found.put(leftover.kind() + " " + leftover.subject(), leftover));
        found.values().forEach(leftover ->
                findings.cure(leftover.kind(), leftover.subject(), leftover.action(), leftover.cure()::run));
    }

    private void giveBackUnknownAddresses() {
        for (String id : node.network().attached()) {
            Optional<Sandbox> sandbox = node.inventory().findSandbox(id);
            boolean wanted = sandbox.map(one -> one.networkAttached() || one.phase() == Sandbox.Phase.STOPPING)
                    .orElse(node.inventory().unreadable().containsKey(id));
            if (!wanted) {
                findings.cure("address", id, "given back", () ->
                        node.network().detach(new DetachRequest(id, "", "", "", Optional.empty())));
            }
        }
    }

    private void tellUnreadableRecords() {
        node.inventory().unreadable().forEach((id, kind) -> findings.cure("record", kind + "/" + id, "told", () -> {
            throw RuntimeFault.unsupported("read record " + kind + "/" + id + ": it is damaged or of another version of Berth:"
                    + " what belongs to it is left alone: run the version that wrote it, or end its processes and remove "
                    + node.directories().records().resolve(kind).resolve(id + ".json"));
        }));
    }

    private void tellMissingNamespaces() {
        SandboxNamespaces namespaces = new SandboxNamespaces(node);
        for (Sandbox sandbox : node.inventory().sandboxes()) {
            if (sandbox.phase() == Sandbox.Phase.READY
                    && !namespaces.pins(sandbox).values().stream().allMatch(Namespaces::isPinned)
                    && node.inventory().findSandbox(sandbox.id()).map(Sandbox::phase).filter(Sandbox.Phase.READY::equals)
                            .isPresent()) {
                findings.cure("sandbox", sandbox.id(), "told", () -> {
                    throw RuntimeFault.precondition("use the namespaces of sandbox " + sandbox.id()
                            + ": a pin is gone: stop and remove the pod");
                });
            }
        }
    }
}
