package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes sure that CRIU can bring a checkpoint back in the container that a request describes, and says what is in the way:
 * CRIU itself would fail in the middle, or leave out what the request asks for. The specification stays the request's own;
 * only masked paths are added, for which CRIU has to know what to put there. Stateless.
 */
public final class FitToCheckpoint {

    private static final List<String> NAMESPACES = List.of("network", "pid", "ipc", "uts", "user", "cgroup");

    private FitToCheckpoint() {}

    /**
     * Fits {@code spec} to the checkpoint.
     *
     * @param asked the mounts that the request asks for
     * @throws RuntimeFault INVALID_ARGUMENT that names what differs
     */
    public static void fit(String container, Checkpoint checkpoint, List<Mount> asked, ObjectNode spec) {
        String what = "restore container " + container + " from " + checkpoint.source().shown() + ": ";
        JsonNode old = checkpoint.specification();
        mounts(what, old, asked, spec);
        boolean terminal = old.path("process").path("terminal").asBoolean(false);
        if (terminal != spec.path("process").path("terminal").asBoolean(false)) {
            throw RuntimeFault.invalid(what + (terminal ? "it had a terminal: ask for one with tty"
                    : "it had no terminal: ask for none"));
        }
        for (String type : NAMESPACES) {
            String before = namespace(old, type);
            String now = namespace(spec, type);
            if (!before.equals(now)) {
                throw RuntimeFault.invalid(what + "it had " + before + " " + type + " namespace, the request leads to " + now
                        + ": ask for the same namespace modes");
            }
        }
        maskedPaths(old, spec);
    }

    // CRI-O's words for the same, so that one document explains both.
    private static void mounts(String what, JsonNode old, List<Mount> asked, ObjectNode spec) {
        Set<String> before = destinations(old);
        Set<String> now = destinations(spec);
        List<String> missing = new ArrayList<>(before);
        missing.removeAll(now);
        if (!missing.isEmpty()) {
            throw RuntimeFault.invalid(what + "it had mounts that the request does not have: ask for mounts at "
                    + String.join(", ", missing));
        }
        List<String> added = asked.stream().map(mount -> plain(mount.getContainerPath()))
                .filter(path -> !before.contains(path)).toList();
        if (!added.isEmpty()) {
            throw RuntimeFault.invalid(what + "it had no mounts at " + String.join(", ", added)
                    + ", and CRIU cannot add any: leave them out");
        }
    }

    private static Set<String> destinations(JsonNode spec) {
        Set<String> found = new LinkedHashSet<>();
        for (JsonNode mount : spec.path("mounts").values()) {
            String destination = mount.path("destination").asString("");
            if (!destination.isEmpty() && destination.indexOf('\0') < 0) {
                found.add(plain(destination));
            }
        }
        return found;
    }

    private static String plain(String path) {
        return Path.of("/", path).normalize().toString();
    }

    private static String namespace(JsonNode spec, String type) {
        for (JsonNode namespace : spec.path("linux").path("namespaces").values()) {
            if (namespace.path("type").asString("").equals(type)) {
                return namespace.path("path").asString("").isEmpty() ? "its own" : "the pod's";
            }
        }
        return "the node's";
    }

    private static void maskedPaths(JsonNode old, ObjectNode spec) {
        JsonNode before = old.path("linux").path("maskedPaths");
        if (before.isEmpty()) {
            return;
        }
        JsonNode now = spec.withObject("linux").path("maskedPaths");
        Set<String> paths = new LinkedHashSet<>();
        now.values().forEach(path -> paths.add(path.asString("")));
        before.values().stream().map(path -> path.asString("")).filter(path -> path.startsWith("/")).forEach(paths::add);
        ArrayNode all = spec.withObject("linux").putArray("maskedPaths");
        paths.forEach(all::add);
    }
}
