package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cli.scratch.Traces;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Everything that a daemon and its pods have on the node, read from the kernel and the file systems: mounts, pinned
 * namespaces, cgroups, processes, interfaces, addresses, and each file below root and state. Two of them are equal or the
 * difference is a leak.
 */
record NodeContents(List<String> lines) {

    private static final long PATIENCE_NANOS = 8_000_000_000L;

    static NodeContents of(TestDaemon daemon) {
        List<String> found = new ArrayList<>();
        // Without their numbers: a shell that sleeps again and again has another process each time.
        daemon.node().podTraces(Optional.of(daemon.process())).lines().stream()
                .map(line -> line.replaceFirst("^processes: [0-9]+ ", "process: "))
                // The witness sleeps again and again, and is not always seen at it.
                .filter(line -> !line.equals("process: sleep 0.1")).forEach(found::add);
        files(daemon.node().root(), found);
        files(daemon.node().state(), found);
        // Made ahead, and no pod's: SandboxPoolIT looks at them.
        Traces.prepared(daemon.node()).forEach(id -> found.removeIf(line -> line.contains(id) || isAddressOf(id, line, daemon)));
        return new NodeContents(found.stream().sorted().toList());
    }

    // Its file is named after the address, and has the sandbox in it.
    private static boolean isAddressOf(String id, String line, TestDaemon daemon) {
        String addresses = "file: " + daemon.node().state().resolve("ipam") + "/";
        try {
            return line.startsWith(addresses) && Files.isRegularFile(Path.of(line.substring("file: ".length())))
                    && Files.readString(Path.of(line.substring("file: ".length()))).contains(id);
        } catch (IOException gone) {
            return false;
        }
    }

    /** Waits until the daemon's node has these contents again; the kernel and the background work take a moment. */
    void assertSame(TestDaemon daemon, String after) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        NodeContents now = of(daemon);
        while (!now.equals(this) && System.nanoTime() < deadline) {
            Thread.sleep(20);
            now = of(daemon);
        }
        assertEquals(List.of(), difference(now), "what the node has (+) and lacks (-) after " + after);
    }

    private List<String> difference(NodeContents now) {
        List<String> differing = new ArrayList<>();
        List<String> more = new ArrayList<>(now.lines);
        lines.forEach(more::remove);
        List<String> less = new ArrayList<>(lines);
        now.lines.forEach(less::remove);
        more.forEach(line -> differing.add("+ " + line));
        less.forEach(line -> differing.add("- " + line));
        return differing;
    }

    // Not into other file systems: a mounted root file system is counted as a mount, its upper layer as files.
    private static void files(Path top, List<String> found) {
        try {
            Files.walkFileTree(top, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    String name = directory.getFileName().toString();
                    // Released addresses wait there for the next attach, which is no leak; a layer's own files do not change.
                    boolean opaque = name.equals("rootfs") || name.equals("shm") || name.equals("fs") || name.equals("released");
                    found.add("file: " + directory);
                    return opaque ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    found.add("file: " + file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException gone) {
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing unknown is on the node, and each pod has exactly one address, each live container exactly one monitor. */
    static void assertTold(TestDaemon daemon, String after) throws InterruptedException {
        assertNothingUnknown(daemon, after);
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Map<String, Object> told = counts(told(daemon));
        while (!told.equals(counts(there(daemon))) && System.nanoTime() < deadline) {
            Thread.sleep(20);
            told = counts(told(daemon));
        }
        assertEquals(told, counts(there(daemon)), "what is told and what is there after " + after);
    }

    private static Map<String, Object> counts(Map<String, Object> all) {
        Map<String, Object> counts = new java.util.TreeMap<>(all);
        counts.values().removeIf(Set.class::isInstance);
        return counts;
    }

    /** Nothing is on the node that the daemon does not tell of; what it tells of may be half removed. */
    static void assertNothingUnknown(TestDaemon daemon, String after) {
        Map<String, Object> told = told(daemon);
        there(daemon).forEach((what, things) -> {
            if (things instanceof Set<?> ids) {
                Set<Object> unknown = new java.util.HashSet<>(ids);
                unknown.removeAll((Set<?>) told.get(what));
                assertEquals(Set.of(), unknown, what + " that nobody knows of after " + after);
            }
        });
    }

    private static Map<String, Object> told(TestDaemon daemon) {
        var runtime = daemon.connection().runtime();
        var sandboxes = runtime.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList();
        var containers = runtime.listContainers(ListContainersRequest.getDefaultInstance()).getContainersList();
        Set<String> sandboxIds = sandboxes.stream().map(pod -> pod.getId()).collect(Collectors.toCollection(TreeSet::new));
        Set<String> containerIds = containers.stream().map(one -> one.getId()).collect(Collectors.toCollection(TreeSet::new));
        long ready = sandboxes.stream().filter(pod -> pod.getState() == PodSandboxState.SANDBOX_READY).count();
        long live = containers.stream().filter(one -> one.getState() == ContainerState.CONTAINER_RUNNING
                || one.getState() == ContainerState.CONTAINER_CREATED).count();
        return Map.of("sandbox records", sandboxIds, "sandbox directories", sandboxIds, "container records", containerIds,
                "bundles", containerIds, "root file systems", containerIds, "addresses", ready, "interfaces", ready,
                "monitors", live);
    }

    private static Map<String, Object> there(TestDaemon daemon) {
        Path root = daemon.node().root();
        Path state = daemon.node().state();
        var traces = daemon.node().podTraces(Optional.of(daemon.process())).byKind();
        Set<String> records = names(root.resolve("records/sandboxes"));
        Set<String> directories = names(state.resolve("sandboxes"));
        Set<String> prepared = Traces.prepared(daemon.node());
        records.removeAll(prepared);
        directories.removeAll(prepared);
        return Map.of("sandbox records", records, "sandbox directories", directories,
                "container records", names(root.resolve("records/containers")),
                "bundles", names(state.resolve("containers")),
                "root file systems", names(root.resolve("snapshots/active")),
                "addresses", (long) traces.get("addresses").size(),
                "interfaces", (long) traces.get("network interfaces").size(),
                "monitors", traces.get("processes").stream().filter(line -> line.contains("conmon") && line.contains("--cid"))
                        .count());
    }

    private static Set<String> names(Path directory) {
        if (!Files.isDirectory(directory)) {
            return new TreeSet<>();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString().replaceFirst("\\.json$", ""))
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
