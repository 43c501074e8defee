package io.berth.snapshot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mount that a snapshotter asks for.
 *
 * @param type of the file system
 * @param source a device, a directory, or only a word
 * @param target below the place where all are mounted; empty for that place itself
 * @param options as mount(8) takes them
 */
public record SnapshotMount(String type, String source, String target, List<String> options) {

    public SnapshotMount {
        options = List.copyOf(options);
    }

    boolean isOverlay() {
        return type.equals("overlay");
    }

    /** The directory that an overlay's changes go to. */
    Optional<Path> upper() {
        return isOverlay() ? value("upperdir").map(Path::of) : Optional.empty();
    }

    /** The directory that an overlay works in. */
    Optional<Path> work() {
        return isOverlay() ? value("workdir").map(Path::of) : Optional.empty();
    }

    /** The directories below an overlay, the nearest first. */
    List<Path> lowers() {
        List<Path> lowers = new ArrayList<>();
        if (!isOverlay()) {
            return lowers;
        }
        // A colon parts them, unless a backslash stands before it.
        for (String path : value("lowerdir").orElse("").split("(?<!\\\\):")) {
            if (!path.isEmpty()) {
                lowers.add(Path.of(path.replace("\\:", ":").replace("\\,", ",").replace("\\\\", "\\")));
            }
        }
        return lowers;
    }

    private Optional<String> value(String key) {
        return options.stream().filter(option -> option.startsWith(key + "=")).map(option -> option.substring(key.length() + 1))
                .findFirst();
    }
}
