package io.berth.pod.sandbox;

import io.berth.base.Timeline;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import java.util.Optional;

/** Removes a sandbox that {@link PrepareSandbox} made and that has not become a pod's. Nobody is told. Idempotent. */
final class DiscardSandbox {

    private final Node node;
    private final SandboxNamespaces namespaces;
    private final SandboxFiles files;
    private final SandboxNetwork network;

    DiscardSandbox(Node node) {
        this.node = node;
        this.namespaces = new SandboxNamespaces(node);
        this.files = new SandboxFiles(node);
        this.network = new SandboxNetwork(node);
    }

    void discard(String id) {
        takeApart(id);
        Timeline.unrecorded("DiscardSandbox").run("record", () -> node.inventory().removeSandbox(id));
    }

    /** Removes all but its record. */
    void takeApart(String id) {
        Optional<Sandbox> found = node.inventory().findSandbox(id).filter(sandbox -> sandbox.id().equals(id));
        if (found.isPresent()) {
            Timeline.Operation timeline = Timeline.unrecorded("DiscardSandbox");
            timeline.run("network", () -> network.detach(found.get()));
            timeline.run("namespaces", () -> namespaces.remove(found.get()));
            timeline.run("files", () -> files.remove(id));
        }
    }
}
