package io.berth.pod.spec;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import io.berth.linux.Mounts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The {@code mounts} array: kernel file systems, the pod's files, the CRI's mounts. */
final class MountsSpec {

    private record Standard(String target, String type, String source, List<String> options) {}

    private static final List<Standard> KERNEL = List.of(
            new Standard("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev")),
            new Standard("/dev", "tmpfs", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
            new Standard("/dev/pts", "devpts", "devpts",
                    List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
            new Standard("/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev")));

    /** Fills {@code mounts}; the propagation that the root file system must have for them. */
    String write(SpecRequest request, ArrayNode mounts) {
        List<Mount> asked = new ArrayList<>(request.mounts());
        // Parents before what is mounted inside them.
        asked.sort(Comparator.comparingInt(mount -> Path.of("/", mount.getContainerPath()).normalize().getNameCount()));
        Set<String> replaced = new HashSet<>();
        asked.forEach(mount -> replaced.add(Path.of("/", mount.getContainerPath()).normalize().toString()));
        for (Standard each : KERNEL) {
            if (!replaced.contains(each.target)) {
                add(mounts, each.target, each.type, each.source, each.options);
            }
        }
        String access = request.privileged() ? "rw" : "ro";
        if (!replaced.contains("/sys")) {
            boolean foreignNetwork = request.sandbox().onHostNetwork() && request.sandbox().ownsUserNamespace();
            if (foreignNetwork) {
                // sysfs belongs to the owner of the network namespace, which the node's own is not this pod's.
                add(mounts, "/sys", "bind", "/sys", List.of("rbind", "nosuid", "noexec", "nodev", "ro"));
            } else {
                add(mounts, "/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", access));
            }
        }
        if (!replaced.contains("/sys/fs/cgroup")) {
            add(mounts, "/sys/fs/cgroup", "cgroup", "cgroup", List.of("nosuid", "noexec", "nodev", "relatime", access));
        }
        request.podFiles().forEach((target, source) -> {
            if (!replaced.contains(target)) {
                boolean readOnly = !request.rootfsWritable() && !target.equals("/dev/shm");
                add(mounts, target, "bind", source.toString(), List.of("rbind", "rprivate", readOnly ? "ro" : "rw"));
            }
        });
        String rootPropagation = "rprivate";
        for (Mount mount : asked) {
            rootPropagation = strongest(rootPropagation, addAsked(mounts, mount));
        }
        return rootPropagation;
    }

    private static String addAsked(ArrayNode mounts, Mount mount) {
        Path source = Path.of(mount.getHostPath());
        String propagation = switch (mount.getPropagation()) {
            case PROPAGATION_PRIVATE, UNRECOGNIZED -> "rprivate";
            case PROPAGATION_HOST_TO_CONTAINER -> requireShared(source, mount, "rslave");
            case PROPAGATION_BIDIRECTIONAL -> requireShared(source, mount, "rshared");
        };
        List<String> options = new ArrayList<>(List.of("rbind", propagation));
        options.add(mount.getReadonly() ? "ro" : "rw");
        if (mount.getRecursiveReadOnly()) {
            options.set(options.size() - 1, "rro");
        }
        options.addAll(mount.getMountOptionsList());
        add(mounts, mount.getContainerPath(), "bind", source.toString(), options);
        return propagation;
    }

    private static String requireShared(Path source, Mount mount, String propagation) {
        Mounts.MountPoint holder = Mounts.table().stream().filter(each -> source.startsWith(each.target()))
                .reduce((a, b) -> b.target().getNameCount() >= a.target().getNameCount() ? b : a).orElseThrow();
        boolean shared = holder.options().stream().anyMatch(option -> option.startsWith("shared:"));
        boolean slave = holder.options().stream().anyMatch(option -> option.startsWith("master:"));
        if (!shared && !(slave && propagation.equals("rslave"))) {
            throw RuntimeFault.precondition("mount " + mount.getHostPath() + " at " + mount.getContainerPath()
                    + ": " + holder.target() + " is not a shared mount on this node: run \"mount --make-rshared "
                    + holder.target() + "\"");
        }
        return propagation;
    }

    private static String strongest(String a, String b) {
        List<String> order = List.of("rprivate", "rslave", "rshared");
        return order.get(Math.max(order.indexOf(a), order.indexOf(b)));
    }

    private static void add(ArrayNode mounts, String target, String type, String source, List<String> options) {
        ObjectNode mount = mounts.addObject().put("destination", target).put("type", type).put("source", source);
        options.forEach(mount.putArray("options")::add);
    }
}
