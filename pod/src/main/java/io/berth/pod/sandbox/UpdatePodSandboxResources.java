package io.berth.pod.sandbox;

import io.berth.cri.v1.LinuxContainerResources;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;

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
        Sandbox before = node.inventory().sandbox(idOrPrefix);
        node.hooks().sandboxUpdating(before, overhead, resources);
        node.hooks().sandboxUpdated(node.inventory().changeSandbox(before.id(), old -> {
            var linux = old.config().getLinux().toBuilder().setOverhead(overhead).setResources(resources);
            return old.withConfig(old.config().toBuilder().setLinux(linux).build());
        }));
    }
}
