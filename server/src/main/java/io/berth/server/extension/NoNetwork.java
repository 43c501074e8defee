package io.berth.server.extension;

import io.berth.base.RuntimeFault;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.NetworkStatus;
import io.berth.network.PodNetwork;
import java.util.Set;

/**
 * Stands for the network that an extension was to give. Sandboxes that have one from earlier keep it until it is back.
 *
 * @param status why there is none
 */
record NoNetwork(NetworkStatus status) implements PodNetwork {

    @Override
    public Attachment attach(AttachRequest request) {
        throw unavailable("attach sandbox " + request.sandboxId());
    }

    @Override
    public void detach(DetachRequest request) {
        throw unavailable("detach sandbox " + request.sandboxId());
    }

    private RuntimeFault unavailable(String action) {
        return new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, action + ": " + status.message());
    }

    @Override
    public void reload() {
        // Extensions are loaded at the start only.
    }

    @Override
    public Set<String> recover(Set<String> liveSandboxIds) {
        return Set.of();
    }

    @Override
    public Set<String> attached() {
        return Set.of();
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
