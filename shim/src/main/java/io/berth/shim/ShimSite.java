package io.berth.shim;

import io.berth.base.RuntimeFault;
import io.berth.linux.CgroupUsage;
import io.berth.linux.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What all shims of one handler have in common.
 *
 * @param limit how long a call may take
 */
record ShimSite(ShimHandler handler, ShimPaths paths, ShimProgram program, Cgroups cgroups, Duration limit) {

    /** How long the end of something may take that was told to end. */
    static final Duration END_LIMIT = Duration.ofSeconds(10);
    /** In a bundle whose task the shim has deleted: nothing has to be asked of anybody any more. */
    private static final String DELETED = "deleted";
    private static final String GIVEN = "given";
    private static final String STOPPED = "stopped";

    Path bundle(String id) {
        return paths.bundle(id);
    }

    /** The {@code config.json} of a bundle; an empty object where there is none yet. */
    JsonNode specification(String id) {
        try {
            return JsonMapper.shared().readTree(Files.readAllBytes(bundle(id).resolve("config.json")));
        } catch (IOException | JacksonException none) {
            return JsonMapper.shared().createObjectNode();
        }
    }

    /** The group of a bundle's container, empty where it has none. */
    String cgroup(String id) {
        return specification(id).path("linux").path("cgroupsPath").asString("");
    }

    /**
     * Whether the kernel has killed something of a container's group for want of memory, or of the group that has the
     * kernel of its pod. gVisor's shim puts that into the pod's group where it finds one, and notes so in the bundle.
     */
    boolean ranOutOfMemory(String id, String sandboxId) {
        Stream<String> groups = Stream.of(cgroup(id));
        if (!handler.isRunc()) {
            groups = Stream.concat(groups, Stream.of(cgroup(sandboxId), specification(sandboxId).path("annotations")
                    .path("dev.gvisor.spec.cgroup-parent").asString("")));
        }
        return groups.filter(group -> !group.isEmpty()).anyMatch(group -> CgroupUsage.oomKills(cgroups, group) > 0);
    }

    /** Notes that a shim is given a bundle: from now on there may be something to delete. */
    void markGiven(String id) {
        mark(id, GIVEN);
    }

    /** Notes that the task of a bundle is deleted. */
    void markDeleted(String id) {
        mark(id, DELETED);
    }

    /** Whether no shim has anything of a bundle. */
    boolean isDeleted(String id) {
        return Files.exists(bundle(id).resolve(DELETED)) || !Files.exists(bundle(id).resolve(GIVEN));
    }

    /** Notes that the shim of a pod, which has its bundle, has ended and left nothing. */
    void markStopped(String sandboxId) {
        mark(sandboxId, STOPPED);
    }

    boolean isStopped(String sandboxId) {
        return Files.exists(bundle(sandboxId).resolve(STOPPED));
    }

    private void mark(String id, String name) {
        try {
            if (Files.isDirectory(bundle(id))) {
                Files.write(bundle(id).resolve(name), new byte[0]);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("note the end of " + id + ": " + RuntimeFault.reason(e), e);
        }
    }

    /**
     * Ends and removes what is left of a bundle whose shim is gone.
     *
     * @return the exit code to tell
     */
    int deleteWithoutShim(String id) {
        try {
            int code = program.delete(id);
            markDeleted(id);
            return code;
        } finally {
            // What the program could not end; in a group of Berth's making.
            String cgroup = cgroup(id);
            if (!cgroup.isEmpty()) {
                cgroups.kill(cgroup);
            }
        }
    }
}
