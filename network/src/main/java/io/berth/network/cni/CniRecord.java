package io.berth.network.cni;

import io.berth.network.AttachRequest;
import io.berth.network.DetachRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What was, or is about to be, attached for a sandbox: enough to undo it when the configuration is another one or gone.
 * Immutable; kept as JSON.
 *
 * @param capabilities the values for the plugins' {@code runtimeConfig}
 * @param networks in the order in which they are attached
 * @param attached false while the attachment is only intended
 */
record CniRecord(
        String sandboxId,
        String podName,
        String podNamespace,
        String podUid,
        String netns,
        ObjectNode capabilities,
        List<Network> networks,
        boolean attached) {

    /**
     * A network of the sandbox.
     *
     * @param configuration the configuration list as it was used
     * @param result what ADD answered, JSON null before
     */
    record Network(String interfaceName, ObjectNode configuration, JsonNode result) {

        CniConfiguration parsed() {
            return CniConfiguration.parse(configuration.toString());
        }

        Network withResult(JsonNode answered) {
            return new Network(interfaceName, configuration, answered);
        }
    }

    CniRecord {
        networks = List.copyOf(networks);
    }

    /** The intent to attach the sandbox to {@code networks}: {@code eth0} to the first, {@code eth1} to the second. */
    static CniRecord intent(AttachRequest request, List<CniConfiguration> configurations) {
        return new CniRecord(request.sandboxId(), request.podName(), request.podNamespace(), request.podUid(),
                request.netns().toString(), CniCapabilities.of(request), withoutResults(configurations), false);
    }

    /** What can be said of a sandbox whose record is gone: it would be attached like this today. */
    static CniRecord lost(DetachRequest request, List<CniConfiguration> configurations) {
        return new CniRecord(request.sandboxId(), request.podName(), request.podNamespace(), request.podUid(),
                request.netns().map(Path::toString).orElse(""), CniConfiguration.JSON.createObjectNode(),
                withoutResults(configurations), false);
    }

    private static List<Network> withoutResults(List<CniConfiguration> configurations) {
        List<Network> networks = new ArrayList<>();
        for (CniConfiguration one : configurations) {
            networks.add(new Network("eth" + networks.size(), one.toJson(), CniConfiguration.JSON.nullNode()));
        }
        return networks;
    }

    CniRecord withNetworks(List<Network> changed, boolean complete) {
        return new CniRecord(sandboxId, podName, podNamespace, podUid, netns, capabilities, changed, complete);
    }
}
