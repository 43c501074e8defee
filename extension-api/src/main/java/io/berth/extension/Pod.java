package io.berth.extension;

import java.util.List;
import java.util.Map;

/**
 * A pod.
 *
 * @param handler its runtime handler
 * @param addresses on the pod network, the first one first
 */
public record Pod(String id, String namespace, String name, String uid, Map<String, String> labels,
        Map<String, String> annotations, String handler, List<String> addresses) {

    public Pod {
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
        addresses = List.copyOf(addresses);
    }
}
