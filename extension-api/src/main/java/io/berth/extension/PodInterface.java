package io.berth.extension;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a network needs to know of a pod.
 *
 * @param sandboxId names the pod's sandbox, and so this interface
 * @param namespaceFile of the network namespace, to be opened for setns(2); empty when it is gone
 * @param ports asked for on the host; none when the pod is detached
 */
public record PodInterface(String sandboxId, String podNamespace, String podName, String podUid, Optional<Path> namespaceFile,
        List<Port> ports, Map<String, String> annotations) {

    /**
     * A port of the host that shall lead to one of the pod.
     *
     * @param protocol TCP, UDP or SCTP
     * @param hostIp the host's address to listen at, empty for all
     */
    public record Port(String protocol, int hostPort, int containerPort, String hostIp) {}

    public PodInterface {
        ports = List.copyOf(ports);
        annotations = Map.copyOf(annotations);
    }
}
