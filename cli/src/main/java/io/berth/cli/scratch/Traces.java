package io.berth.cli.scratch;

import io.berth.base.RuntimeFault;
import io.berth.linux.Cgroups;
import io.berth.linux.Mounts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What pods have left on a node, read from the kernel and the file system and not from the daemon: an independent witness.
 *
 * @param byKind the things found, by their kind, also for kinds of which nothing was found
 */
public record Traces(Map<String, List<String>> byKind) {

    /** So many of a sandbox's id are in the name of its interface. */
    private static final int INTERFACE_DIGITS = 12;

    /**
     * Looks for what belongs to the pods of {@code node}; the daemon itself, its bridge and directories do not count, and
     * neither do sandboxes that it has made ahead and that are no pod's yet.
     */
    static Traces ofPods(ScratchNode node, Set<Integer> daemons) {
        Map<String, List<String>> found = everything(node, daemons);
        // Read after everything else: what has become a pod's meanwhile is seen as one.
        Set<String> prepared = prepared(node);
        if (!prepared.isEmpty()) {
            found.replaceAll((kind, things) -> things.stream().filter(thing -> prepared.stream().noneMatch(id ->
                    thing.contains(id) || thing.endsWith(id.substring(0, INTERFACE_DIGITS)))).toList());
        }
        found.computeIfPresent("addresses", (kind, names) -> names.stream().map(name -> name.split(" ")[0]).toList());
        return new Traces(found);
    }

    /** The ids of sandboxes that the daemon of {@code node} has made ahead, by its records. */
    public static Set<String> prepared(ScratchNode node) {
        Path records = node.root().resolve("records/sandboxes");
        Set<String> found = new TreeSet<>();
        for (String name : list(records)) {
            if (content(records.resolve(name)).contains("\"PREPARED\"")) {
                found.add(name.replaceFirst("\\.json$", ""));
            }
        }
        return found;
    }

    private static String content(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException gone) {
            return "";
        }
    }

    private static Map<String, List<String>> everything(ScratchNode node, Set<Integer> daemons) {
        Map<String, List<String>> found = new LinkedHashMap<>();
        found.put("mounts", mounts(node, false));
        found.put("pinned namespaces", mounts(node, true));
        Set<String> cgroups = cgroups(node);
        cgroups.remove("");
        found.put("cgroups", List.copyOf(cgroups));
        found.put("processes", processes(node, daemons));
        found.put("network interfaces", list(Path.of("/sys/class/net", node.bridge(), "brif")));
        Path addresses = node.state().resolve("ipam");
        found.put("addresses", list(addresses).stream().filter(name -> !name.equals("released") && !name.startsWith("."))
                .map(name -> name + " " + content(addresses.resolve(name))).toList());
        List<String> files = new ArrayList<>();
        for (Path directory : List.of(node.state().resolve("sandboxes"), node.state().resolve("containers"),
                node.state().resolve("exits"), node.root().resolve("records/sandboxes"),
                node.root().resolve("records/containers"), node.root().resolve("restores"),
                node.root().resolve("checkpoints"))) {
            list(directory).forEach(name -> files.add(directory.resolve(name).toString()));
        }
        Path snapshotters = node.root().resolve("snapshotters");
        list(snapshotters).forEach(name -> Stream.of("mounts", "tmp").map(snapshotters.resolve(name)::resolve)
                .forEach(directory -> list(directory).forEach(left -> files.add(directory.resolve(left).toString()))));
        found.put("records and files", files);
        return found;
    }

    /** Nothing is left. */
    public boolean isEmpty() {
        return byKind.values().stream().allMatch(List::isEmpty);
    }

    /** Each thing found, a line each. */
    public List<String> lines() {
        return byKind.entrySet().stream().flatMap(kind -> kind.getValue().stream().map(thing -> kind.getKey() + ": " + thing))
                .toList();
    }

    private static List<String> mounts(ScratchNode node, boolean namespaces) {
        return Mounts.table().stream().filter(mount -> mount.target().startsWith(node.directory()))
                .filter(mount -> mount.type().equals("nsfs") == namespaces)
                .map(mount -> mount.type() + " at " + mount.target()).toList();
    }

    /** Names below the node's cgroup, "" for that itself; of all hierarchies. */
    static Set<String> cgroups(ScratchNode node) {
        Set<String> found = new TreeSet<>();
        for (Path top : Cgroups.detect().directories(node.cgroup())) {
            try (Stream<Path> all = Files.find(top, 32, (path, attributes) -> attributes.isDirectory())) {
                all.map(path -> top.relativize(path).toString()).forEach(found::add);
            } catch (IOException | java.io.UncheckedIOException goneMeanwhile) {
                // Then it is not left.
            }
        }
        return found;
    }

    /** Processes in the node's cgroups and those that work with its directory: monitors, runtimes. */
    static List<String> processes(ScratchNode node, Set<Integer> daemons) {
        Set<Integer> inCgroup = Set.copyOf(Cgroups.detect().processes(node.cgroup()));
        List<String> found = new ArrayList<>();
        for (String name : list(Path.of("/proc"))) {
            if (name.matches("[0-9]+") && !daemons.contains(Integer.valueOf(name))
                    && Integer.parseInt(name) != ProcessHandle.current().pid()) {
                String command = commandLine(name);
                boolean ours = inCgroup.contains(Integer.valueOf(name)) || command.contains(node.directory() + "/");
                if (ours && !isBetweenForkAndExec(name, command)) {
                    found.add(name + " " + command);
                }
            }
        }
        return found;
    }

    // Until its exec a child has its parent's command line. The parent is found itself.
    private static boolean isBetweenForkAndExec(String pid, String command) {
        return ProcessHandle.of(Long.parseLong(pid)).flatMap(ProcessHandle::parent)
                .map(parent -> commandLine(Long.toString(parent.pid())).equals(command)).orElse(false);
    }

    private static String commandLine(String pid) {
        try {
            return new String(Files.readAllBytes(Path.of("/proc", pid, "cmdline")), StandardCharsets.UTF_8)
                    .replace('\0', ' ').strip();
        } catch (IOException ended) {
            return "";
        }
    }

    private static List<String> list(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("list " + directory + ": " + RuntimeFault.reason(e), e);
        }
    }
}
