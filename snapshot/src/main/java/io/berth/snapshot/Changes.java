package io.berth.snapshot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a container had changed in its root filesystem, for another one to begin with. Hostile: it is checked when it is
 * applied.
 *
 * @param layer the tar file of an OCI layer, compressed or not
 * @param deleted paths that are gone beside those of which the layer says so
 * @param rootMode the permissions of the root directory; empty to leave it as it is below
 */
public record Changes(Optional<Path> layer, List<String> deleted, OptionalInt rootMode) {

    public Changes {
        deleted = List.copyOf(deleted);
    }
}
