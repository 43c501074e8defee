package io.berth.image;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;

/** Verifies what it is given and remembers the chains. */
final class FakeUnpacker implements Unpacker {

    final Map<Digest, Optional<Digest>> parents = new ConcurrentHashMap<>();
    final Set<Digest> inUse = ConcurrentHashMap.newKeySet();

    @Override
    public boolean has(Digest chainId) {
        return parents.containsKey(chainId);
    }

    @Override
    public void unpack(Optional<Digest> parentChain, Digest chainId, Digest diffId, String mediaType, InputStream blob,
            Runnable awaitParent) {
        try {
            InputStream in = new BufferedInputStream(blob);
            in.mark(2);
            boolean gzip = in.read() == 0x1f;
            in.reset();
            byte[] bytes = (gzip ? new GZIPInputStream(in) : in).readAllBytes();
            if (!Digest.ofBytes(bytes).equals(diffId)) {
                throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer: not " + diffId);
            }
        } catch (IOException e) {
            throw new RuntimeFault(RuntimeFault.Kind.DATA_LOSS, "unpack layer: " + e.getMessage(), e);
        }
        awaitParent.run();
        if (parentChain.isPresent() && !has(parentChain.get())) {
            throw new AssertionError("the layer below is missing");
        }
        parents.put(chainId, parentChain);
    }

    @Override
    public void awaitDurable() {}

    @Override
    public Optional<String> damage(Digest chainId) {
        return has(chainId) ? Optional.empty() : Optional.of("it is not unpacked");
    }

    @Override
    public List<Digest> chains() {
        return List.copyOf(parents.keySet());
    }

    @Override
    public boolean remove(Digest chainId) {
        if (inUse.contains(chainId) || parents.containsValue(Optional.of(chainId))) {
            return false;
        }
        parents.remove(chainId);
        return true;
    }
}
