package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What CRIU will mount, and how: it takes that from its images and not from the request, so that a mount which the request
 * wants to be read-only would be writable if it was so in the checkpoint. Source: CRIU, {@code images/mnt.proto} and
 * {@code images/regfile.proto}.
 */
final class CheckpointMounts {

    private static final int READ_ONLY = 1;
    private static final Set<String> ALWAYS_THERE = Set.of("/proc/sys", "/proc/fs", "/proc/irq");

    /** By path: whether all that is mounted there is read-only. */
    private final Map<String, Boolean> readOnly = new HashMap<>();

    private CheckpointMounts() {}

    /** @throws RuntimeFault INVALID_ARGUMENT for an image that is none */
    static CheckpointMounts read(CriuImages images) {
        CheckpointMounts mounts = new CheckpointMounts();
        boolean there = images.read(CriuImages.Kind.MOUNTS, entry -> {
            String path = Path.of("/", new String(images.bytes(entry, 7), StandardCharsets.UTF_8).replace('\0', '?'))
                    .normalize().toString();
            mounts.readOnly.merge(path, (images.number(entry, 5) & READ_ONLY) != 0, Boolean::logicalAnd);
        });
        if (!there) {
            throw images.bad("mountpoints", "it is not there");
        }
        return mounts;
    }

    /**
     * The mode that the root directory had, which CRIU wants to see again: where the image says nothing about it, the peers
     * do not agree. Empty when no process was in it.
     */
    static OptionalInt rootMode(CriuImages images) {
        Set<Integer> modes = new HashSet<>();
        images.read(CriuImages.Kind.FILES, entry -> {
            var file = images.message(entry, 3);
            boolean isRoot = new String(images.bytes(file, 6), StandardCharsets.UTF_8).equals("/");
            if (isRoot && images.number(file, 10) != 0) {
                modes.add((int) images.number(file, 10) & 07777);
            }
        });
        return modes.size() == 1 ? OptionalInt.of(modes.iterator().next()) : OptionalInt.empty();
    }

    /** What in {@code spec} differs from it, each as the end of a sentence; empty where nothing does. */
    List<String> differences(JsonNode spec) {
        List<String> found = new ArrayList<>();
        for (JsonNode mount : spec.path("mounts").values()) {
            String path = Path.of("/", mount.path("destination").asString("")).normalize().toString();
            boolean wanted = mount.path("options").valueStream().map(option -> option.asString(""))
                    .anyMatch(option -> option.equals("ro") || option.equals("rro"));
            if (mount.path("type").asString("").equals("cgroup")) {
                hierarchies(path).forEach(each -> compare(each, wanted, found));
            } else {
                compare(path, wanted, found);
            }
        }
        compare("/", spec.path("root").path("readonly").asBoolean(false), found);
        // Others are not on every node; a container has these all or none.
        spec.path("linux").path("readonlyPaths").valueStream().map(path -> path.asString("")).filter(ALWAYS_THERE::contains)
                .filter(path -> !readOnly.getOrDefault(path, false)).forEach(path -> found.add(writable(path)));
        return found;
    }

    // With cgroup v1 it is a writable tmpfs, and the hierarchies in it are what matters.
    private List<String> hierarchies(String path) {
        List<String> inside = readOnly.keySet().stream().filter(each -> each.startsWith(path + "/")).sorted().toList();
        return inside.isEmpty() ? List.of(path) : inside;
    }

    private void compare(String path, boolean wanted, List<String> found) {
        if (readOnly.containsKey(path) && readOnly.get(path) != wanted) {
            found.add(wanted ? writable(path)
                    : "it could not write to " + path + ", which the request wants to be writable");
        }
    }

    private static String writable(String path) {
        return "it could write to " + path + ", which the request wants to be read-only";
    }
}
