package io.berth.server.snapshotter;

import io.berth.base.Digest;
import io.berth.image.RemoteLayer;
import io.berth.image.Unpacker;
import io.berth.snapshot.Snapshotter;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/** A snapshotter as images see it: the place where their layers go. */
public record LayerSink(Snapshotter snapshotter) implements Unpacker {

    @Override
    public boolean has(Digest chainId) {
        return snapshotter.has(chainId);
    }

    @Override
    public boolean goesInTurns() {
        return snapshotter.goesInTurns();
    }

    @Override
    public boolean bring(RemoteLayer layer) {
        return snapshotter.bring(new Snapshotter.LayerSource(layer.image(), layer.manifest(), layer.blob(), layer.annotations(),
                layer.blobs(), layer.parentChain(), layer.chainId(), layer.diffId()));
    }

    @Override
    public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType, InputStream compressed,
            Runnable awaitParent) {
        snapshotter.unpack(parentChain, chainId, diffId, mediaType, compressed, awaitParent);
    }

    @Override
    public void awaitDurable() {
        snapshotter.awaitSync();
    }

    @Override
    public Optional<String> damage(Digest chainId) {
        return snapshotter.layerDamage(chainId);
    }

    @Override
    public List<Digest> chains() {
        return snapshotter.chains();
    }

    @Override
    public boolean remove(Digest chainId) {
        return snapshotter.removeLayer(chainId);
    }
}
