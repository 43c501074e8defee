package io.berth.snapshot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a container had changed in its root filesystem, for another one to begin with. Hostile: it is checked when it is
 * applied.
 *
 * @param layer the tar file of an OCI layer, compressed or not
 * @param deleted paths that are gone beside those of which the layer says so
 */
public record Changes(Optional<Path> layer, List<String> deleted) {

    public Changes {
        deleted = List.copyOf(deleted);
    }
}
