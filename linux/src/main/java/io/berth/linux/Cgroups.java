package io.berth.linux;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The cgroup file systems of this machine, version 1, version 2, or both beside each other. Groups are named by their path
 * below the root, such as {@code /kubepods/pod1/c1}. Thread-safe: the layout is read once.
 *
 * <p>Source: cgroups(7), the kernel's admin-guide/cgroup-v2 and cgroup-v1.
 */
public final class Cgroups {

    private final Map<String, Path> controllers;
    private final Optional<Path> unified;
    private final CgroupMoves moves;

    private Cgroups(Map<String, Path> controllers, Optional<Path> unified, List<String> ownGroups) {
        this.controllers = controllers;
        this.unified = unified;
        this.moves = CgroupMoves.of(controllers, unified, ownGroups);
    }

    /** Whether {@code group} is a slice or scope of systemd's, which it makes and removes, and not a path. */
    public static boolean isBySystemd(String group) {
        return SystemdGroup.isOne(group);
    }

    /** The path of {@code group} below the root of a hierarchy; what is a path already stays as it is. */
    public static String path(String group) {
        return SystemdGroup.path(group);
    }

    /** Reads the layout from the mount table. */
    public static Cgroups detect() {
        Map<String, Path> controllers = new LinkedHashMap<>();
        Path unified = null;
        List<String> lines = mountLines();
        for (Mounts.MountPoint mount : Mounts.table()) {
            if (mount.type().equals("cgroup2") && unified == null) {
                unified = mount.target();
            } else if (mount.type().equals("cgroup")) {
                for (String controller : superOptions(lines, mount.target())) {
                    controllers.putIfAbsent(controller, mount.target());
                }
            }
        }
        return new Cgroups(controllers, Optional.ofNullable(unified), CgroupMoves.ownGroups());
    }

    /**
     * A layout at given places.
     *
     * @param controllers the version 1 hierarchy of each controller
     * @param unified the version 2 hierarchy
     */
    public static Cgroups at(Map<String, Path> controllers, Optional<Path> unified) {
        return at(controllers, unified, List.of());
    }

    /** As {@link #at(Map, Optional)}, with the groups of this process as {@code /proc/self/cgroup} tells them. */
    static Cgroups at(Map<String, Path> controllers, Optional<Path> unified, List<String> ownGroups) {
        return new Cgroups(Map.copyOf(controllers), unified, ownGroups);
    }

    private static List<String> mountLines() {
        try {
            return Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw RuntimeFault.internal("read the cgroup layout: " + RuntimeFault.reason(e), e);
        }
    }

    private static List<String> superOptions(List<String> mountLines, Path target) {
        return mountLines.stream().filter(line -> line.split(" ", 6)[4].equals(target.toString()))
                .flatMap(line -> Stream.of(line.substring(line.lastIndexOf(' ') + 1).split(",")))
                .filter(option -> !option.equals("rw") && !option.equals("ro")).toList();
    }

    /** Whether the machine has version 2 alone, so that limits go there. */
    public boolean isUnified() {
        return !controllers.containsKey("memory") && unified.isPresent();
    }

    /** Whether limits of {@code controller} (memory, cpu, pids, hugetlb, …) can be set. */
    public boolean has(String controller) {
        if (!isUnified()) {
            return controllers.containsKey(controller);
        }
        return read(unified.orElseThrow().resolve("cgroup.controllers")).map(text -> List.of(text.split("\\s+"))
                .contains(controller.equals("cpuacct") ? "cpu" : controller.equals("blkio") ? "io" : controller)).orElse(false);
    }

    /** The directory of {@code group} in the hierarchy of {@code controller}, whether it exists or not. */
    public Optional<Path> directory(String controller, String group) {
        Path root = isUnified() ? unified.orElseThrow() : controllers.get(controller);
        return root == null ? Optional.empty() : Optional.of(below(root, group));
    }

    /** The directories of {@code group} in every hierarchy where it exists. */
    public List<Path> directories(String group) {
        var roots = new TreeSet<>(controllers.values());
        unified.ifPresent(roots::add);
        return roots.stream().map(root -> below(root, group)).filter(Files::isDirectory).toList();
    }

    private static Path below(Path root, String group) {
        Path path = root.resolve(SystemdGroup.path(group).replaceFirst("^/+", "")).normalize();
        if (!path.startsWith(root)) {
            throw RuntimeFault.invalid("find cgroup " + group + ": it leaves the cgroup file system");
        }
        return path;
    }

    /**
     * Says that a runtime is about to move a process to a group, so that the kernel's wait for that goes on while the runtime
     * starts ({@code docs/adr/0012}). Returns at once and changes no group.
     */
    public void expectMove() {
        moves.expect();
    }

    /** A file of {@code group}, stripped, or empty where it does not exist. */
    public Optional<String> read(String controller, String group, String file) {
        return directory(controller, group).flatMap(directory -> read(directory.resolve(file)));
    }

    /**
     * A file of {@code group} in the version 2 hierarchy, stripped, or empty where it does not exist. A machine that has
     * both versions keeps what belongs to no controller there, such as pressure.
     */
    Optional<String> readUnified(String group, String file) {
        return unified.flatMap(root -> read(below(root, group).resolve(file)));
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    /** Processes in {@code group} and below it, in any hierarchy. */
    public List<Integer> processes(String group) {
        var found = new TreeSet<Integer>();
        for (Path directory : directories(group)) {
            for (Path each : subtree(directory)) {
                read(each.resolve("cgroup.procs")).stream().flatMap(String::lines).map(Integer::valueOf)
                        .filter(pid -> pid > 0).forEach(found::add);
            }
        }
        return List.copyOf(found);
    }

    /** Kills every process in {@code group} and below it. */
    public void kill(String group) {
        Optional<Path> killFile = isUnified()
                ? directory("memory", group).map(directory -> directory.resolve("cgroup.kill")).filter(Files::exists)
                : Optional.empty();
        if (killFile.isPresent()) {
            try {
                Files.writeString(killFile.get(), "1");
                return;
            } catch (IOException gone) {
                // Removed in between, or an old kernel: one by one then.
            }
        }
        for (int pid : processes(group)) {
            Processes.startTicks(pid).ifPresent(start -> Processes.signal(pid, start, Signals.KILL));
        }
    }

    /**
     * Removes {@code group} and all below it from every hierarchy, with a short patience for processes that are just
     * ending; a group that does not exist is fine.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when processes are still in it
     */
    public void remove(String group) {
        for (int attempt = 0; ; attempt++) {
            List<Path> left = new ArrayList<>();
            for (Path directory : directories(group)) {
                // A group has dozens of files: one without groups below it goes without a look at them.
                if (!removed(directory)) {
                    subtree(directory).stream().filter(each -> !removed(each)).forEach(left::add);
                }
            }
            if (left.isEmpty()) {
                return;
            }
            if (attempt == 50) {
                throw RuntimeFault.precondition("remove cgroup " + group + ": still in use by processes "
                        + processes(group));
            }
            try {
                Thread.sleep(Math.min(20, 1 + attempt));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "remove cgroup " + group + ": interrupted", e);
            }
        }
    }

    /**
     * Removes {@code group} from every hierarchy where neither a process nor another group is in it.
     *
     * @return whether it is gone from all
     */
    public boolean removeEmpty(String group) {
        boolean gone = true;
        for (Path directory : directories(group)) {
            gone &= removed(directory);
        }
        return gone;
    }

    private static boolean removed(Path directory) {
        try {
            Files.delete(directory);
            return true;
        } catch (NoSuchFileException gone) {
            return true;
        } catch (IOException busy) {
            return false;
        }
    }

    // Deepest first.
    private static List<Path> subtree(Path directory) {
        try (Stream<Path> all = Files.find(directory, 64, (path, attributes) -> attributes.isDirectory(),
                new FileVisitOption[0])) {
            return all.sorted(Comparator.comparingInt(Path::getNameCount).reversed()).toList();
        } catch (IOException | java.io.UncheckedIOException gone) {
            return List.of(directory);
        }
    }
}
