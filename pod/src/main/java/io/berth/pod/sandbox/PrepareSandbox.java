package io.berth.pod.sandbox;

import io.berth.base.Timeline;
import io.berth.base.UndoStack;
import io.berth.base.UnixTime;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.linux.Namespace;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/**
 * Makes the part of a sandbox that is the same for every pod: network, IPC and UTS namespaces with loopback up, and a place
 * on the network where that does not have to know the pod. It has a record from before its first step, as any sandbox.
 */
final class PrepareSandbox {

    /** What a pod has that says nothing: it has no hostname, and no process of its own holds its PID namespace. */
    private static final PodSandboxConfig NOBODYS = nobodys();

    private final Node node;
    private final SandboxNamespaces namespaces;
    private final SandboxNetwork network;
    private final DiscardSandbox discard;

    PrepareSandbox(Node node, DiscardSandbox discard) {
        this.node = node;
        this.namespaces = new SandboxNamespaces(node);
        this.network = new SandboxNetwork(node);
        this.discard = discard;
    }

    private static PodSandboxConfig nobodys() {
        PodSandboxConfig.Builder config = PodSandboxConfig.newBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().setPid(NamespaceMode.CONTAINER);
        return config.build();
    }

    /** Makes it under {@code id}; what the failed step says otherwise, and then nothing is left but what is on record. */
    void prepare(String id) {
        Timeline.Operation timeline = Timeline.unrecorded("PrepareSandbox");
        Sandbox intent = new Sandbox(id, NOBODYS, "", UnixTime.now(), Sandbox.Phase.PREPARED,
                EnumSet.noneOf(Namespace.class), List.of(), false, "", Optional.empty());
        try (UndoStack undo = new UndoStack("PrepareSandbox")) {
            undo.push("prepared", () -> discard.discard(id));
            timeline.run("record", () -> node.inventory().add(intent));
            timeline.run("namespaces", () -> namespaces.create(intent));
            if (node.network().attachesAhead()) {
                timeline.run("network intent", () ->
                        node.inventory().changeSandbox(id, sandbox -> sandbox.withNetwork(true, List.of())));
                timeline.step("network", () -> network.attach(node.inventory().sandbox(id)));
            }
            undo.commit();
        }
    }
}
