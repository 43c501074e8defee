package io.berth.image;

import io.berth.base.Digest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What an image says about how to run it. Hostile: nothing here is believed beyond what the kubelet's request allows.
 * What the image leaves out is empty. Source: OCI image-spec, config.md.
 *
 * @param volumes paths that the image wants as volumes
 * @param exposedPorts such as {@code 80/tcp}
 * @param diffIds digests of the uncompressed layers, the lowest first
 */
public record ImageConfig(String user, List<String> env, List<String> entrypoint, List<String> cmd, String workingDir,
        List<String> volumes, Map<String, String> labels, String stopSignal, String os, String architecture,
        String variant, List<String> exposedPorts, Optional<Instant> created, List<Digest> diffIds) {

    /** Largest configuration that is read, in bytes. */
    public static final int SIZE_LIMIT = 8 << 20;

    private static final int LAYER_LIMIT = 1024;

    public ImageConfig {
        env = List.copyOf(env);
        entrypoint = List.copyOf(entrypoint);
        cmd = List.copyOf(cmd);
        volumes = List.copyOf(volumes);
        labels = Map.copyOf(labels);
        exposedPorts = List.copyOf(exposedPorts);
        diffIds = List.copyOf(diffIds);
    }

    /** Reads the JSON of a configuration blob; malformed or oversized JSON is refused with kind DATA_LOSS. */
    public static ImageConfig parse(byte[] json) {
        var document = BoundedJson.parse("image configuration", json, SIZE_LIMIT);
        JsonNode root = document.root();
        JsonNode config = document.object(root, "config");
        List<Digest> diffIds = document.strings(document.object(root, "rootfs"), "diff_ids").stream()
                .limit(LAYER_LIMIT + 1L).map(document::digest).toList();
        if (diffIds.size() > LAYER_LIMIT) {
            throw document.bad("more than " + LAYER_LIMIT + " layers");
        }
        return new ImageConfig(document.string(config, "User"), document.strings(config, "Env"),
                document.strings(config, "Entrypoint"), document.strings(config, "Cmd"),
                document.string(config, "WorkingDir"), document.keys(config, "Volumes"),
                document.stringMap(config, "Labels"), document.string(config, "StopSignal"),
                document.string(root, "os"), document.string(root, "architecture"), document.string(root, "variant"),
                document.keys(config, "ExposedPorts"), document.instant(root, "created"), diffIds);
    }

    /** What the image was made for. */
    public Platform platform() {
        return new Platform(os, architecture, variant);
    }
}
