package io.berth.snapshot;

import io.berth.base.Digest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a snapshotter is told of a layer that it may bring itself. Names and limits are containerd's:
 * {@code pkg/snapshotters/annotations.go}, {@code core/snapshots}, {@code pkg/labels}.
 */
final class LayerLabels {

    private static final String INHERITED = "containerd.io/snapshot/";
    private static final String IMAGE_LAYERS = "containerd.io/snapshot/cri.image-layers";
    /** Of a label's key and value together, in characters. */
    private static final int LIMIT = 4096;

    private LayerLabels() {}

    /** @param name what the layer's snapshot is to be called */
    static Map<String, String> of(Snapshotter.LayerSource layer, String name) {
        Map<String, String> labels = new TreeMap<>();
        layer.annotations().forEach((key, value) -> {
            if (key.startsWith(INHERITED) && key.length() + value.length() <= LIMIT) {
                labels.put(key, value);
            }
        });
        labels.put("containerd.io/snapshot.ref", name);
        labels.put("containerd.io/snapshot/cri.image-ref", layer.image());
        labels.put("containerd.io/snapshot/cri.manifest-digest", layer.manifest().toString());
        labels.put("containerd.io/snapshot/cri.layer-digest", layer.blob().toString());
        labels.put(IMAGE_LAYERS, asManyAsFit(layer.blobs()));
        return labels;
    }

    private static String asManyAsFit(List<Digest> blobs) {
        StringBuilder text = new StringBuilder();
        for (Digest blob : blobs) {
            if (IMAGE_LAYERS.length() + text.length() + 1 + blob.toString().length() > LIMIT) {
                break;
            }
            text.append(text.isEmpty() ? "" : ",").append(blob);
        }
        return text.toString();
    }
}
