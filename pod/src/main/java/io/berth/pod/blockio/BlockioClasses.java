package io.berth.pod.blockio;

import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * The classes of block I/O that the operator defines and pods name in annotations. Both peers read the same file and the
 * same annotations. Thread-safe: the file is read for each container that names a class.
 *
 * @param file the file with the classes; empty where there are none on this node
 * @param ignoreNotEnabled run a container without limits where it names a class and there is no file
 */
public record BlockioClasses(Optional<Path> file, boolean ignoreNotEnabled) {

    private static final String PREFIX = "blockio.resources.beta.kubernetes.io/";
    private static final long SIZE_LIMIT = 1 << 20;

    /** The class for a container: its own annotation, the pod's for it, the pod's for all. */
    static Optional<String> named(Map<String, String> podAnnotations, Map<String, String> ownAnnotations, String container) {
        return Optional.ofNullable(ownAnnotations.get(PREFIX + "container"))
                .or(() -> Optional.ofNullable(podAnnotations.get(PREFIX + "container." + container)))
                .or(() -> Optional.ofNullable(podAnnotations.get(PREFIX + "pod")))
                .filter(name -> !name.isEmpty());
    }

    /**
     * The {@code blockIO} object of the container's specification; empty where no class is named.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for a class that is not defined, FAILED_PRECONDITION for a file that is not
     *     right, or without one where that is not ignored
     */
    public Optional<ObjectNode> limits(Map<String, String> podAnnotations, Map<String, String> ownAnnotations,
            String container) {
        Optional<String> name = named(podAnnotations, ownAnnotations, container);
        if (name.isEmpty() || file.isEmpty() && ignoreNotEnabled) {
            return Optional.empty();
        }
        return Optional.of(limits(name.get()));
    }

    /**
     * The {@code blockIO} object for a class.
     *
     * @throws RuntimeFault as the other {@code limits}
     */
    public ObjectNode limits(String name) {
        Path source = file.orElseThrow(() -> RuntimeFault.precondition("use block I/O class " + name
                + ": this node defines none: set runtime.blockio_config_file"));
        JsonNode classes = read(source).path("Classes");
        if (!classes.has(name)) {
            throw RuntimeFault.invalid("use block I/O class " + name + ": " + source + " defines "
                    + classes.propertyNames().stream().sorted().toList());
        }
        return new BlockioLimits("class " + name + " in " + source).write(classes.get(name));
    }

    /** All classes of the file by name, for checking it as a whole. */
    public Map<String, ObjectNode> all() {
        Map<String, ObjectNode> all = new LinkedHashMap<>();
        file.ifPresent(source -> read(source).path("Classes").properties().forEach(entry -> all.put(entry.getKey(),
                new BlockioLimits("class " + entry.getKey() + " in " + source).write(entry.getValue()))));
        return all;
    }

    private static JsonNode read(Path file) {
        try {
            if (Files.size(file) > SIZE_LIMIT) {
                throw RuntimeFault.precondition("read block I/O classes " + file + ": larger than " + SIZE_LIMIT + " bytes");
            }
            return new YAMLMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw RuntimeFault.precondition("read block I/O classes " + file + ": " + RuntimeFault.reason(e));
        } catch (JacksonException e) {
            throw RuntimeFault.precondition("read block I/O classes " + file + ": " + e.getOriginalMessage());
        }
    }
}
