package io.berth.extension;

import java.util.Map;
import java.util.OptionalInt;

/**
 * A container.
 *
 * @param image by digest where it has one
 * @param exitCode once it has ended
 */
public record Container(String id, String name, String image, Map<String, String> labels, Map<String, String> annotations,
        OptionalInt exitCode) {

    public Container {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
    }
}
