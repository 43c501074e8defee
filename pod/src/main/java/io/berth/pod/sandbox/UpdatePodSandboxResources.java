package io.berth.pod.sandbox;

import io.berth.cri.v1.LinuxContainerResources;
import io.berth.pod.Node;

/**
 * Takes note of a pod's new overall resources. The pod's cgroup is the kubelet's, which has changed it already; what is kept
 * here is for those who read the sandbox's configuration.
 */
public final class UpdatePodSandboxResources {

    private final Node node;

    public UpdatePodSandboxResources(Node node) {
        this.node = node;
    }

    public void update(String idOrPrefix, LinuxContainerResources overhead, LinuxContainerResources resources) {
        String id = node.inventory().sandbox(idOrPrefix).id();
        node.inventory().changeSandbox(id, old -> {
            var linux = old.config().getLinux().toBuilder().setOverhead(overhead).setResources(resources);
            return old.withConfig(old.config().toBuilder().setLinux(linux).build());
        });
    }
}
