package io.berth.pod.rdt;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The classes of the processor's resource control (Intel RDT, AMD QoS) that pods name in annotations, the same as with both
 * peers. A class is a group below the kernel's resctrl file system, which the operator makes. Thread-safe.
 *
 * @param resctrl where that file system is mounted, such as {@code /sys/fs/resctrl}
 * @param ignoreNotEnabled run a container without a class where it names one and the node has no resource control
 */
public record RdtClasses(Path resctrl, boolean ignoreNotEnabled) {

    /** Where the kernel's documentation mounts it. */
    public static final Path RESCTRL = Path.of("/sys/fs/resctrl");

    private static final String PREFIX = "rdt.resources.beta.kubernetes.io/";
    /** The group of everything that is in no other. */
    private static final Set<String> ROOT_GROUP = Set.of("/", "system/default");
    private static final Set<String> NOT_CLASSES = Set.of("info", "mon_groups", "mon_data");

    /** The class for a container: its own annotation, the pod's for it, the pod's for all. */
    static Optional<String> named(Map<String, String> podAnnotations, Map<String, String> ownAnnotations, String container) {
        return Optional.ofNullable(ownAnnotations.get(PREFIX + "container"))
                .or(() -> Optional.ofNullable(podAnnotations.get(PREFIX + "container." + container)))
                .or(() -> Optional.ofNullable(podAnnotations.get(PREFIX + "pod")))
                .filter(name -> !name.isEmpty());
    }

    /**
     * The {@code closID} of the container's specification; empty where no class is named.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for a class that there is not, FAILED_PRECONDITION on a node without resource
     *     control where that is not ignored
     */
    public Optional<String> classId(Map<String, String> podAnnotations, Map<String, String> ownAnnotations, String container) {
        Optional<String> name = named(podAnnotations, ownAnnotations, container);
        if (name.isEmpty() || !isEnabled() && ignoreNotEnabled) {
            return Optional.empty();
        }
        return Optional.of(require(name.get()));
    }

    /** Whether the file system is mounted. */
    public boolean isEnabled() {
        return Files.isDirectory(resctrl.resolve("info"));
    }

    private String require(String name) {
        if (!isEnabled()) {
            throw RuntimeFault.precondition("use RDT class " + name + ": this node has no resource control: mount it (\"mount"
                    + " -t resctrl resctrl " + RESCTRL + "\") where the processor knows RDT, or set"
                    + " runtime.ignore_rdt_not_enabled_errors");
        }
        if (ROOT_GROUP.contains(name)) {
            return "/";
        }
        List<String> classes = classes();
        if (!classes.contains(name)) {
            throw RuntimeFault.invalid("use RDT class " + name + ": " + resctrl + " has " + classes
                    + ": make the group or correct the annotation");
        }
        return name;
    }

    private List<String> classes() {
        try (Stream<Path> groups = Files.list(resctrl)) {
            return groups.filter(group -> Files.isRegularFile(group.resolve("schemata")))
                    .map(group -> group.getFileName().toString()).filter(name -> !NOT_CLASSES.contains(name)).sorted().toList();
        } catch (IOException e) {
            throw RuntimeFault.precondition("list RDT classes in " + resctrl + ": " + RuntimeFault.reason(e));
        }
    }
}
