package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Images that hold a checkpoint of a container instead of files to run, as the peers have them: an annotation of the manifest
 * or its index says so. Stateless. Source: checkpointctl, {@code lib/metadata.go}; KEP-2008.
 */
public final class CheckpointImage {

    private static final Set<String> NAMES = Set.of("org.criu.checkpoint.container.name",
            "io.kubernetes.cri-o.annotations.checkpoint.name");

    private CheckpointImage() {}

    /**
     * The name of the container that was written; empty for every other image, and where the manifest cannot be read: the
     * image is then judged by what it has.
     */
    public static Optional<String> containerName(Images images, Image image) {
        return Stream.concat(Stream.of(image.manifest()), image.index().stream())
                .flatMap(document -> named(images.content(), document).stream()).findFirst();
    }

    private static Optional<String> named(ContentStore content, Digest document) {
        try {
            byte[] json = content.read(document, Manifest.SIZE_LIMIT);
            // Nearly every container is of another image: not worth a parse.
            String text = new String(json, StandardCharsets.ISO_8859_1);
            if (NAMES.stream().noneMatch(text::contains)) {
                return Optional.empty();
            }
            var parsed = BoundedJson.parse("manifest " + document, json, Manifest.SIZE_LIMIT);
            Map<String, String> annotations = parsed.stringMap(parsed.root(), "annotations");
            return NAMES.stream().filter(annotations::containsKey).sorted().map(annotations::get).findFirst();
        } catch (RuntimeFault unreadable) {
            return Optional.empty();
        }
    }
}
