package io.berth.embedded;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How an embedded runtime is to be. Immutable.
 *
 * @param configuration a configuration file, as {@code berth serve} reads it; empty for a temporary runtime
 * @param keys configuration keys with dots in them, such as {@code runtime.default_runtime_name}; they win over the file
 * @param archives archives of images, or directories with an OCI layout, that are imported at the start
 */
public record BerthOptions(Optional<Path> configuration, Map<String, Object> keys, List<Path> archives) {

    public BerthOptions {
        keys = Map.copyOf(keys);
        archives = List.copyOf(archives);
    }

    /**
     * A runtime of its own: directories, bridge, subnet and cgroup that nothing else uses. All of it is gone after
     * {@link Berth#close}, its pods included.
     */
    public static BerthOptions temporary() {
        return new BerthOptions(Optional.empty(), Map.of(), List.of());
    }

    /** A runtime with the directories that a configuration file names. Its pods live on after {@link Berth#close}. */
    public static BerthOptions of(Path configuration) {
        return new BerthOptions(Optional.of(configuration), Map.of(), List.of());
    }

    /** These options with a key set, as in docs/configuration.md. */
    public BerthOptions with(String key, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(keys);
        more.put(key, value);
        return new BerthOptions(configuration, more, archives);
    }

    /** These options with an archive to import. */
    public BerthOptions withImage(Path archive) {
        List<Path> more = new ArrayList<>(archives);
        more.add(archive);
        return new BerthOptions(configuration, keys, more);
    }
}
