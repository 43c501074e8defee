package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Mount;
import java.io.IOException;
import java.nio.file.Files;
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
 * CRIU itself would fail in the middle, leave out what the request asks for, or give what it does not allow. The
 * specification stays the request's own; only what CRIU has to know how to put there is added: masked paths, and what a peer
 * mounts without being asked. Stateless.
 */
public final class FitToCheckpoint {

    private static final List<String> NAMESPACES = List.of("network", "pid", "ipc", "uts", "user", "cgroup");

    /** CRI-O's sign that a program runs in a container: an empty file. */
    private static final String SIGN = "/run/.containerenv";

    private FitToCheckpoint() {}

    /**
     * Fits {@code spec} to the checkpoint.
     *
     * @param asked the mounts that the request asks for
     * @param images the directory with CRIU's images
     * @param bundle the container's, for files that have to be made
     * @throws RuntimeFault INVALID_ARGUMENT that names what differs
     */
    public static void fit(String container, Checkpoint checkpoint, List<Mount> asked, ObjectNode spec, Path images,
            Path bundle) {
        String what = "restore container " + container + " from " + checkpoint.source().shown() + ": ";
        JsonNode old = checkpoint.specification();
        sign(old, spec, bundle);
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
        CriuImages criu = new CriuImages(images, checkpoint.source().shown());
        List<String> different = CheckpointMounts.differences(criu, asked, spec, old);
        if (!different.isEmpty()) {
            throw RuntimeFault.invalid(what + String.join(", and ", different)
                    + ": CRIU mounts as it was, so ask for what it had");
        }
        Set<String> beyond = CheckpointRights.beyond(criu, spec);
        if (!beyond.isEmpty()) {
            throw RuntimeFault.invalid(what + "its processes had " + String.join(", ", beyond)
                    + ", which the request does not give them: ask for it, if they may have it");
        }
        maskedPaths(old, spec);
    }

    /**
     * Makes sure that the sockets which wait for somebody can do so in a pod with these addresses.
     *
     * @throws RuntimeFault INVALID_ARGUMENT that names the address which the pod does not have
     */
    public static void addresses(String container, Checkpoint checkpoint, List<String> own, Path images) {
        Set<String> foreign = BoundAddresses.foreign(new CriuImages(images, checkpoint.source().shown()), own);
        if (!foreign.isEmpty()) {
            throw RuntimeFault.invalid("restore container " + container + " from " + checkpoint.source().shown()
                    + ": its sockets are bound to " + String.join(", ", foreign) + ", which is not an address of this pod ("
                    + String.join(", ", own) + "): only programs that listen on all addresses can move");
        }
    }

    private static void sign(JsonNode old, ObjectNode spec, Path bundle) {
        if (!destinations(old).contains(SIGN) || destinations(spec).contains(SIGN)) {
            return;
        }
        try {
            Path file = Files.createFile(bundle.resolve("containerenv"));
            ObjectNode mount = spec.withArray("mounts").addObject().put("destination", SIGN).put("type", "bind")
                    .put("source", file.toString());
            List.of("bind", "rprivate").forEach(mount.putArray("options")::add);
        } catch (IOException e) {
            throw RuntimeFault.internal("make " + bundle.resolve("containerenv") + ": " + RuntimeFault.reason(e), e);
        }
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
