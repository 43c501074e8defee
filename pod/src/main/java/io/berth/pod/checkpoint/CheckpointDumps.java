package io.berth.pod.checkpoint;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.pod.record.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The JSON files of a checkpoint's archive, with all that containerd, CRI-O and checkpointctl want to find in them. Stateless.
 * Source: checkpointctl, {@code lib/metadata.go}; containerd and CRI-O, which read and write these.
 */
final class CheckpointDumps {

    /** CRI-O reads the old annotations from here. */
    private static final String CRIO_ANNOTATIONS = "io.kubernetes.cri-o.Annotations";

    private CheckpointDumps() {}

    // The reference: CRI-O refuses all but the bare hexadecimal number of the image. containerd of before 2.4 looks for an
    // image of that name and has to be given one.
    static ObjectNode config(Container container) {
        return JsonNodeFactory.instance.objectNode().put("id", container.id())
                .put("name", container.config().getMetadata().getName())
                .put("rootfsImage", imageName(container))
                .put("rootfsImageRef", container.imageId().substring(container.imageId().indexOf(':') + 1))
                .put("rootfsImageName", imageName(container))
                .put("runtime", container.handler())
                .put("createdTime", Instant.ofEpochSecond(0, container.createdAtNanos()).toString())
                .put("checkpointedTime", Instant.now().toString())
                .put("restoredTime", "0001-01-01T00:00:00Z").put("restored", container.restore().isPresent());
    }

    // The peers refuse an archive in which this is empty.
    private static String imageName(Container container) {
        String asked = container.config().getImage().getUserSpecifiedImage();
        return asked.isEmpty() ? container.imageRef() : asked;
    }

    static JsonNode specification(JsonNode spec, Container container) {
        ObjectNode copy = (ObjectNode) spec.deepCopy();
        // The configuration of its own restore, which is in its bundle.
        copy.withObject("annotations").remove("org.criu.config");
        copy.withObject("annotations").put(CRIO_ANNOTATIONS,
                JsonMapper.shared().writeValueAsString(container.config().getAnnotationsMap()));
        return copy;
    }

    /** The CRI's ContainerStatus as the Go of the peers writes it. */
    static ObjectNode status(Container container) {
        ContainerConfig config = container.config();
        ObjectNode status = JsonNodeFactory.instance.objectNode().put("id", container.id());
        status.putObject("metadata").put("name", config.getMetadata().getName())
                .put("attempt", config.getMetadata().getAttempt());
        status.put("state", ContainerState.CONTAINER_RUNNING_VALUE).put("created_at", container.createdAtNanos())
                .put("started_at", container.startedAtNanos());
        status.putObject("image").put("image", imageName(container)).put("user_specified_image", imageName(container));
        status.put("image_ref", container.imageRef()).put("image_id", container.imageId());
        texts(status.putObject("labels"), config.getLabelsMap());
        texts(status.putObject("annotations"), config.getAnnotationsMap());
        container.logPath().ifPresent(log -> status.put("log_path", log.toString()));
        return status;
    }

    private static void texts(ObjectNode object, Map<String, String> texts) {
        texts.forEach(object::put);
    }

    /** What was mounted from the host, and whether that is a file or a directory. */
    static ArrayNode bindMounts(JsonNode spec) {
        ArrayNode mounts = JsonNodeFactory.instance.arrayNode();
        for (JsonNode mount : spec.path("mounts").values()) {
            Path source = Path.of(mount.path("source").asString(""));
            if (mount.path("type").asString("").equals("bind") && Files.exists(source)) {
                mounts.addObject().put("source", source.toString())
                        .put("destination", mount.path("destination").asString(""))
                        .put("file_type", Files.isDirectory(source) ? "directory" : "file")
                        .put("permissions", permissions(source));
            }
        }
        return mounts;
    }

    private static int permissions(Path path) {
        try {
            int bits = 0;
            for (PosixFilePermission each : Files.getPosixFilePermissions(path)) {
                bits |= 0400 >> each.ordinal();
            }
            return bits;
        } catch (IOException e) {
            throw RuntimeFault.internal("read the permissions of " + path + ": " + RuntimeFault.reason(e), e);
        }
    }
}
