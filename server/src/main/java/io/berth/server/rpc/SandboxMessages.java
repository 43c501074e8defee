package io.berth.server.rpc;

import io.berth.cri.v1.LinuxPodSandboxStatus;
import io.berth.cri.v1.Namespace;
import io.berth.cri.v1.PodIP;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxFilter;
import io.berth.cri.v1.PodSandboxNetworkStatus;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PodSandboxStatus;
import io.berth.pod.record.Sandbox;

/** Sandboxes as the CRI tells of them. */
final class SandboxMessages {

    private SandboxMessages() {}

    static PodSandboxState state(Sandbox sandbox) {
        return sandbox.phase() == Sandbox.Phase.READY ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
    }

    /** Whether a client may see it: not before its creation has succeeded. */
    static boolean isVisible(Sandbox sandbox) {
        return sandbox.isShown();
    }

    static boolean matches(PodSandboxFilter filter, Sandbox sandbox) {
        return Selectors.matchesId(filter.getId(), sandbox.id())
                && (!filter.hasState() || filter.getState().getState() == state(sandbox))
                && Selectors.matches(filter.getLabelSelectorMap(), sandbox.config().getLabelsMap());
    }

    static PodSandbox item(Sandbox sandbox) {
        return PodSandbox.newBuilder().setId(sandbox.id()).setMetadata(sandbox.config().getMetadata())
                .setState(state(sandbox)).setCreatedAt(sandbox.createdAtNanos())
                .putAllLabels(sandbox.config().getLabelsMap()).putAllAnnotations(sandbox.config().getAnnotationsMap())
                .setRuntimeHandler(sandbox.handler()).build();
    }

    static PodSandboxStatus status(Sandbox sandbox) {
        PodSandboxNetworkStatus.Builder network = PodSandboxNetworkStatus.newBuilder();
        if (!sandbox.addresses().isEmpty()) {
            network.setIp(sandbox.addresses().getFirst());
            sandbox.addresses().stream().skip(1)
                    .forEach(address -> network.addAdditionalIps(PodIP.newBuilder().setIp(address)));
        }
        return PodSandboxStatus.newBuilder().setId(sandbox.id()).setMetadata(sandbox.config().getMetadata())
                .setState(state(sandbox)).setCreatedAt(sandbox.createdAtNanos()).setNetwork(network)
                .setLinux(LinuxPodSandboxStatus.newBuilder().setNamespaces(
                        Namespace.newBuilder().setOptions(sandbox.namespaces())))
                .putAllLabels(sandbox.config().getLabelsMap()).putAllAnnotations(sandbox.config().getAnnotationsMap())
                .setRuntimeHandler(sandbox.handler()).build();
    }
}
