package io.berth.pod.checkpoint;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a checkpoint says of itself, read before anything of it is written. Hostile: nothing here decides what the new
 * container may do.
 *
 * @param imageName the image below it, as people call it; may be empty
 * @param images what names that image, the most exact first: digests, or tags where there is no digest
 * @param writtenAt when, as the archive has it; may be empty
 * @param specification the OCI specification of the container that was written
 * @param deleted paths that it had deleted, as CRI-O lists them beside the changes
 * @param seal what {@link #seal} makes of all that this was read from
 */
public record Checkpoint(CheckpointSource source, String imageName, List<String> images, String writtenAt,
        JsonNode specification, List<String> deleted, Digest seal) {

    private static final int CONFIG_LIMIT = 1 << 20;
    private static final int SPEC_LIMIT = 8 << 20;
    private static final int DELETED_LIMIT = 16 << 20;
    private static final Map<String, Integer> LIMITS = Map.of(CheckpointArchive.CONFIG, CONFIG_LIMIT,
            CheckpointArchive.SPEC, SPEC_LIMIT, CheckpointArchive.DELETED, DELETED_LIMIT);
    private static final Pattern EXACT = Pattern.compile("(?:.*@)?(?:sha256:)?[a-f0-9]{64}|.*@.*");

    public Checkpoint {
        images = List.copyOf(images);
        deleted = List.copyOf(deleted);
    }

    /**
     * Reads it.
     *
     * @throws RuntimeFault INVALID_ARGUMENT when it is no checkpoint, else as {@link CheckpointSource#files}
     */
    public static Checkpoint read(CheckpointSource source) {
        Map<String, byte[]> found = new HashMap<>();
        boolean[] hasImages = new boolean[1];
        source.files((name, size, content) -> {
            hasImages[0] |= name.equals("checkpoint/inventory.img");
            keep(source, name, content, found);
        });
        for (String needed : List.of(CheckpointArchive.CONFIG, CheckpointArchive.SPEC)) {
            if (!found.containsKey(needed)) {
                throw bad(source, "it has no " + needed + ": it is no checkpoint of a container");
            }
        }
        if (!hasImages[0]) {
            throw bad(source, "it has no checkpoint/inventory.img: CRIU's images are not in it");
        }
        JsonNode config = object(source, CheckpointArchive.CONFIG, found);
        return new Checkpoint(source, text(config, "rootfsImageName"), images(source, config), text(config, "checkpointedTime"),
                object(source, CheckpointArchive.SPEC, found), deleted(source, found), seal(found));
    }

    /** Puts the file into {@code found} when it is one of those that this is read from; false for another one. */
    static boolean keep(CheckpointSource source, String name, InputStream content, Map<String, byte[]> found)
            throws IOException {
        if (!LIMITS.containsKey(name)) {
            return false;
        }
        if (found.put(name, bounded(source, name, content)) != null) {
            throw bad(source, "it has " + name + " twice");
        }
        return true;
    }

    /** A digest of files by their names, to see whether a second reading found the same. */
    static Digest seal(Map<String, byte[]> files) {
        StringBuilder all = new StringBuilder();
        new TreeMap<>(files).forEach((name, bytes) ->
                all.append(name).append(' ').append(Digest.ofBytes(bytes)).append('\n'));
        return Digest.ofBytes(all.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] bounded(CheckpointSource source, String name, InputStream content) throws IOException {
        int limit = LIMITS.get(name);
        byte[] bytes = content.readNBytes(limit + 1);
        if (bytes.length > limit) {
            throw bad(source, name + " has more than the limit of " + limit + " bytes");
        }
        return bytes;
    }

    private static JsonNode object(CheckpointSource source, String name, Map<String, byte[]> found) {
        JsonNode read = json(source, name, found.get(name));
        if (!read.isObject()) {
            throw bad(source, name + " is no JSON object");
        }
        return read;
    }

    private static JsonNode json(CheckpointSource source, String name, byte[] bytes) {
        try {
            return JsonMapper.shared().readTree(bytes);
        } catch (JacksonException e) {
            throw bad(source, name + " is no JSON");
        }
    }

    // A digest decides where there is one: another image of the same tag has other files than the memory knows.
    private static List<String> images(CheckpointSource source, JsonNode config) {
        List<String> all = Stream.of("rootfsImageRef", "rootfsImage", "rootfsImageName").map(key -> text(config, key))
                .filter(name -> !name.isEmpty()).distinct().toList();
        if (all.isEmpty()) {
            throw bad(source, CheckpointArchive.CONFIG + " does not say which image is below it");
        }
        List<String> exact = all.stream().filter(name -> EXACT.matcher(name).matches()).toList();
        return exact.isEmpty() ? all : exact;
    }

    private static List<String> deleted(CheckpointSource source, Map<String, byte[]> found) {
        if (!found.containsKey(CheckpointArchive.DELETED)) {
            return List.of();
        }
        List<String> paths = new ArrayList<>();
        for (JsonNode path : json(source, CheckpointArchive.DELETED, found.get(CheckpointArchive.DELETED)).values()) {
            if (!path.isString()) {
                throw bad(source, CheckpointArchive.DELETED + " has an entry that is no path");
            }
            paths.add(path.stringValue());
        }
        return paths;
    }

    private static String text(JsonNode object, String key) {
        JsonNode value = object.path(key);
        return value.isString() && value.stringValue().length() <= 512 ? value.stringValue() : "";
    }

    private static RuntimeFault bad(CheckpointSource source, String reason) {
        return RuntimeFault.invalid("read checkpoint " + source.shown() + ": " + reason);
    }
}
