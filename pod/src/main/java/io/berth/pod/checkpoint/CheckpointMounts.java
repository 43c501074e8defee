package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.MountPropagation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * What CRIU will mount, and how: it takes that from its images and not from the request, so that a mount which the request
 * wants to be read-only would be writable if it was so in the checkpoint. Source: CRIU, {@code images/mnt.proto} and
 * {@code images/regfile.proto}.
 */
final class CheckpointMounts {

    private static final int READ_ONLY = 1;
    private static final Set<String> ALWAYS_THERE = Set.of("/proc/sys", "/proc/fs", "/proc/irq");

    /** All that is mounted at a path. */
    private record Mounted(boolean readOnly, boolean follows) {

        private Mounted with(Mounted other) {
            return new Mounted(readOnly && other.readOnly, follows || other.follows);
        }
    }

    private final Map<String, Mounted> mounts = new HashMap<>();
    private final List<String> differences = new ArrayList<>();

    private CheckpointMounts() {}

    /**
     * What differs from the request, each as a part of a sentence; empty where nothing does.
     *
     * @param asked the mounts that the request asks for
     * @param spec the specification that was made from it
     * @param old that of the container that was written
     * @throws RuntimeFault INVALID_ARGUMENT for an image that is none
     */
    static List<String> differences(CriuImages images, List<Mount> asked, JsonNode spec, JsonNode old) {
        CheckpointMounts mounts = new CheckpointMounts();
        if (!images.read(CriuImages.Kind.MOUNTS, entry -> mounts.add(text(images.bytes(entry, 7)),
                new Mounted((images.number(entry, 5) & READ_ONLY) != 0, images.number(entry, 11) != 0)))) {
            throw images.bad("mountpoints", "it is not there");
        }
        mounts.access(spec);
        mounts.hidden(spec.path("linux"));
        mounts.own(spec, old.path("linux"));
        asked.forEach(mounts::propagation);
        return mounts.differences;
    }

    /**
     * The mode that the root directory had, which CRIU wants to see again: where the image says nothing about it, the peers
     * do not agree. Empty when no process was in it.
     */
    static OptionalInt rootMode(CriuImages images) {
        Set<Integer> modes = new HashSet<>();
        images.read(CriuImages.Kind.FILES, entry -> {
            var file = images.message(entry, 3);
            if (text(images.bytes(file, 6)).equals("/") && images.number(file, 10) != 0) {
                modes.add((int) images.number(file, 10) & 07777);
            }
        });
        return modes.size() == 1 ? OptionalInt.of(modes.iterator().next()) : OptionalInt.empty();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String plain(String path) {
        return Path.of("/", path.replace('\0', '?')).normalize().toString();
    }

    private void add(String path, Mounted mounted) {
        mounts.merge(plain(path), mounted, Mounted::with);
    }

    private void access(JsonNode spec) {
        for (JsonNode mount : spec.path("mounts").values()) {
            String path = plain(mount.path("destination").asString(""));
            boolean readOnly = mount.path("options").valueStream().map(option -> option.asString(""))
                    .anyMatch(option -> option.equals("ro") || option.equals("rro"));
            if (mount.path("type").asString("").equals("cgroup")) {
                hierarchies(path).forEach(each -> access(each, readOnly));
            } else {
                access(path, readOnly);
            }
        }
        access("/", spec.path("root").path("readonly").asBoolean(false));
    }

    // With cgroup v1 it is a writable tmpfs, and the hierarchies in it are what matters.
    private List<String> hierarchies(String path) {
        List<String> inside = mounts.keySet().stream().filter(each -> each.startsWith(path + "/")).sorted().toList();
        return inside.isEmpty() ? List.of(path) : inside;
    }

    private void access(String path, boolean readOnly) {
        if (mounts.containsKey(path) && mounts.get(path).readOnly != readOnly) {
            differences.add(readOnly ? writable(path)
                    : "it could not write to " + path + ", which the request wants to be writable");
        }
    }

    private static String writable(String path) {
        return "it could write to " + path + ", which the request wants to be read-only";
    }

    // A path that this node has need not have been on the other one, but these are on all, and of hidden ones some.
    private void hidden(JsonNode linux) {
        linux.path("readonlyPaths").valueStream().map(path -> path.asString("")).filter(ALWAYS_THERE::contains)
                .filter(path -> !mounts.containsKey(path) || !mounts.get(path).readOnly)
                .forEach(path -> differences.add(writable(path)));
        List<String> masked = linux.path("maskedPaths").valueStream().map(path -> path.asString("")).toList();
        if (!masked.isEmpty() && masked.stream().noneMatch(mounts::containsKey)) {
            differences.add("nothing was hidden from it, and the request hides " + masked.getFirst());
        }
    }

    // Who may not mount has not done so either.
    private void own(JsonNode spec, JsonNode old) {
        boolean mayMount = spec.path("process").path("capabilities").path("bounding").valueStream()
                .anyMatch(name -> name.asString("").equals("CAP_SYS_ADMIN"));
        if (mayMount) {
            return;
        }
        // The runtime mounts a terminal there.
        Set<String> known = new HashSet<>(Set.of("/", "/dev/console"));
        for (JsonNode linux : List.of(spec.path("linux"), old)) {
            Stream.of("maskedPaths", "readonlyPaths").flatMap(paths -> linux.path(paths).valueStream())
                    .forEach(path -> known.add(plain(path.asString(""))));
        }
        spec.path("mounts").valueStream().forEach(mount -> known.add(plain(mount.path("destination").asString(""))));
        mounts.keySet().stream().filter(path -> !known.contains(path) && !path.startsWith("/sys/fs/cgroup/")).sorted()
                .forEach(path -> differences.add("it had mounted something at " + path + ", which this one may not"));
    }

    private void propagation(Mount mount) {
        String path = plain(mount.getContainerPath());
        if (mount.getPropagation() == MountPropagation.PROPAGATION_BIDIRECTIONAL) {
            differences.add("the node would not see what it mounts in " + path + ", as the request wants it to");
            return;
        }
        boolean follows = mount.getPropagation() == MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
        if (mounts.containsKey(path) && mounts.get(path).follows != follows) {
            differences.add("it had another propagation of mounts at " + path + " than the request wants");
        }
    }
}
