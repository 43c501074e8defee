package io.berth.network;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a network needs to know of a sandbox. Immutable.
 *
 * @param sandboxId identifies the sandbox here and for CNI plugins (CNI_CONTAINERID)
 * @param netns the pinned network namespace
 * @param ports host ports; entries without a host port are left out by the networks
 * @param annotations of the pod; {@code kubernetes.io/ingress-bandwidth} and {@code egress-bandwidth} are read
 * @param cgroupPath the pod's cgroup for the CNI capability {@code cgroupPath}, empty when unknown
 * @param dns for the CNI capability {@code dns}; empty lets the network decide
 */
public record AttachRequest(
        String sandboxId,
        String podName,
        String podNamespace,
        String podUid,
        Path netns,
        List<PortMapping> ports,
        Map<String, String> annotations,
        String cgroupPath,
        Optional<Dns> dns) {

    /** Name servers, search domains and resolver options of the pod. */
    public record Dns(List<String> servers, List<String> searches, List<String> options) {
        public Dns {
            servers = List.copyOf(servers);
            searches = List.copyOf(searches);
            options = List.copyOf(options);
        }
    }

    public AttachRequest {
        ports = List.copyOf(ports);
        annotations = Map.copyOf(annotations);
    }

    /** A request without ports, annotations, cgroup and DNS. */
    public static AttachRequest of(
            String sandboxId, String podName, String podNamespace, String podUid, Path netns) {
        return new AttachRequest(
                sandboxId, podName, podNamespace, podUid, netns, List.of(), Map.of(), "", Optional.empty());
    }

    /** This request with host ports. */
    public AttachRequest withPorts(List<PortMapping> changed) {
        return new AttachRequest(
                sandboxId, podName, podNamespace, podUid, netns, changed, annotations, cgroupPath, dns);
    }

    /** This request with the pod's annotations. */
    public AttachRequest withAnnotations(Map<String, String> changed) {
        return new AttachRequest(
                sandboxId, podName, podNamespace, podUid, netns, ports, changed, cgroupPath, dns);
    }

    /** The request that undoes this one. */
    public DetachRequest toDetach() {
        return new DetachRequest(sandboxId, podName, podNamespace, podUid, Optional.of(netns));
    }
}
