package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.Traces;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The sandboxes that a daemon has made ahead, as the node shows them. */
record Prepared(TestDaemon daemon) {

    private static final long PATIENCE_NANOS = 20_000_000_000L;

    Set<String> ids() {
        return Traces.prepared(daemon.node());
    }

    /** Waits until there are exactly {@code count}, each with all that it should have, and nothing beside them. */
    Set<String> await(int count, String after) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!isExactly(count) && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        Set<String> ids = ids();
        assertTrue(isExactly(count), () -> after + ": prepared " + ids + ", with namespaces " + withNamespaces()
                + ", with an interface " + withInterface());
        return ids;
    }

    private boolean isExactly(int count) {
        Set<String> ids = ids();
        return ids.size() == count && withNamespaces().containsAll(ids) && withInterface().containsAll(shortened(ids));
    }

    /** What a pod that is gone, or a daemon that was killed, would have left. */
    void assertNothingBeside(Set<String> pods, String after) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        // The kernel takes an interface away a moment after its namespace.
        while (!unknownInterfaces(pods).isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        assertEquals(Set.of(), unknownInterfaces(pods), "interfaces of nobody after " + after);
        Set<String> namespaces = withNamespaces();
        Set<String> directories = directories();
        Set<String> known = new TreeSet<>(ids());
        known.addAll(pods);
        assertEquals(Set.of(), without(namespaces, known), "namespaces of nobody after " + after);
        assertEquals(Set.of(), without(directories, known), "directories of nobody after " + after);
    }

    private Set<String> unknownInterfaces(Set<String> pods) {
        Set<String> there = withInterface();
        // In this order: what was made ahead meanwhile is on record before it has an interface.
        Set<String> known = new TreeSet<>(ids());
        known.addAll(pods);
        return without(there, shortened(known));
    }

    private static Set<String> without(Set<String> all, Set<String> known) {
        Set<String> unknown = new TreeSet<>(all);
        unknown.removeAll(known);
        return unknown;
    }

    private static Set<String> shortened(Set<String> ids) {
        return ids.stream().map(id -> "bv" + id.substring(0, 12)).collect(Collectors.toSet());
    }

    private Set<String> withNamespaces() {
        Path sandboxes = daemon.node().state().resolve("sandboxes");
        return Mounts.table().stream().filter(mount -> mount.type().equals("nsfs") && mount.target().startsWith(sandboxes))
                .filter(mount -> mount.target().endsWith("ns/net"))
                .map(mount -> sandboxes.relativize(mount.target()).getName(0).toString()).collect(Collectors.toSet());
    }

    private Set<String> withInterface() {
        return names(Path.of("/sys/class/net", daemon.node().bridge(), "brif"));
    }

    private Set<String> directories() {
        return names(daemon.node().state().resolve("sandboxes"));
    }

    private static Set<String> names(Path directory) {
        if (!Files.isDirectory(directory)) {
            return Set.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
