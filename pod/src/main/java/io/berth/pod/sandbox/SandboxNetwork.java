package io.berth.pod.sandbox;

import io.berth.cri.v1.PodSandboxConfig;
import io.berth.linux.Namespace;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.PortMapping;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A sandbox's place on the pod network. */
final class SandboxNetwork {

    private final Node node;
    private final SandboxNamespaces namespaces;

    SandboxNetwork(Node node) {
        this.node = node;
        this.namespaces = new SandboxNamespaces(node);
    }

    Attachment attach(Sandbox sandbox) {
        PodSandboxConfig config = sandbox.config();
        var metadata = config.getMetadata();
        var dns = config.getDnsConfig();
        return node.network().attach(new AttachRequest(sandbox.id(), metadata.getName(), metadata.getNamespace(),
                metadata.getUid(), namespaces.pin(sandbox.id(), Namespace.NET), ports(config), config.getAnnotationsMap(),
                config.getLinux().getCgroupParent(),
                Optional.of(new AttachRequest.Dns(dns.getServersList(), dns.getSearchesList(), dns.getOptionsList()))));
    }

    /** Idempotent: the record says whether there is something to detach. */
    void detach(Sandbox sandbox) {
        if (!sandbox.networkAttached()) {
            return;
        }
        Path netns = namespaces.pin(sandbox.id(), Namespace.NET);
        var metadata = sandbox.config().getMetadata();
        node.network().detach(new DetachRequest(sandbox.id(), metadata.getName(), metadata.getNamespace(),
                metadata.getUid(), Files.exists(netns) ? Optional.of(netns) : Optional.empty()));
        node.inventory().changeSandbox(sandbox.id(), old -> old.withNetwork(false, old.addresses()));
    }

    private static List<PortMapping> ports(PodSandboxConfig config) {
        return config.getPortMappingsList().stream().filter(port -> port.getHostPort() > 0)
                .map(port -> new PortMapping(switch (port.getProtocol()) {
                    case TCP, UNRECOGNIZED -> PortMapping.Protocol.TCP;
                    case UDP -> PortMapping.Protocol.UDP;
                    case SCTP -> PortMapping.Protocol.SCTP;
                }, port.getContainerPort(), port.getHostPort(), port.getHostIp())).toList();
    }
}
