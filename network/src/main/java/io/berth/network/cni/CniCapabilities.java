package io.berth.network.cni;

import io.berth.network.AttachRequest;
import io.berth.network.Bandwidth;
import io.berth.network.PortMapping;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/**
 * What plugins can ask for with {@code "capabilities"}: the values for their {@code runtimeConfig}.
 *
 * <p>Source: the CNI repository's CONVENTIONS.md; the annotations' name is containerd's.
 */
final class CniCapabilities {

    /** The bucket is as large as it can be: the rate alone limits, as in other runtimes. */
    private static final long BURST_BITS = Integer.MAX_VALUE;

    private CniCapabilities() {}

    /** All values for a sandbox, by capability. */
    static ObjectNode of(AttachRequest request) {
        ObjectNode all = CniConfiguration.JSON.createObjectNode();
        ports(all, request);
        Bandwidth.of(request.annotations()).ifPresent(bandwidth -> {
            ObjectNode limits = all.putObject("bandwidth");
            bandwidth.ingress().ifPresent(rate -> limits.put("ingressRate", rate).put("ingressBurst", BURST_BITS));
            bandwidth.egress().ifPresent(rate -> limits.put("egressRate", rate).put("egressBurst", BURST_BITS));
        });
        request.dns().ifPresent(dns -> {
            ObjectNode node = all.putObject("dns");
            dns.servers().forEach(node.putArray("servers")::add);
            dns.searches().forEach(node.putArray("searches")::add);
            dns.options().forEach(node.putArray("options")::add);
        });
        if (!request.cgroupPath().isEmpty()) {
            all.put("cgroupPath", request.cgroupPath());
        }
        if (!request.annotations().isEmpty()) {
            ObjectNode annotations = all.putObject("io.kubernetes.cri.pod-annotations");
            request.annotations().forEach(annotations::put);
        }
        return all;
    }

    private static void ports(ObjectNode all, AttachRequest request) {
        var published = request.ports().stream().filter(PortMapping::isPublished).distinct().toList();
        if (published.isEmpty()) {
            return;
        }
        var list = all.putArray("portMappings");
        for (PortMapping port : published) {
            list.addObject()
                    .put("hostPort", port.hostPort())
                    .put("containerPort", port.containerPort())
                    .put("protocol", port.protocol().name().toLowerCase(Locale.ROOT))
                    .put("hostIP", port.hostAddress().map(address -> address.getHostAddress()).orElse(""));
        }
    }
}
