package io.berth.server.rpc;

import io.berth.cri.v1.CgroupDriver;
import io.berth.cri.v1.LinuxRuntimeConfiguration;
import io.berth.cri.v1.RuntimeCondition;
import io.berth.cri.v1.RuntimeConfigResponse;
import io.berth.cri.v1.RuntimeFeatures;
import io.berth.cri.v1.RuntimeHandler;
import io.berth.cri.v1.RuntimeHandlerFeatures;
import io.berth.cri.v1.RuntimeStatus;
import io.berth.cri.v1.StatusResponse;
import io.berth.cri.v1.VersionResponse;
import io.berth.network.NetworkStatus;
import io.berth.pod.Node;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the node can do and whether it is ready: Version, Status and RuntimeConfig.
 *
 * @param effective the configuration that holds, shown in the verbose status
 * @param others who else takes part, by kind; asked for the verbose status
 */
public record NodeStatus(Node node, String berthVersion, Map<String, Object> effective,
        Supplier<Map<String, Object>> others) {

    /** The kubelet ends itself when this is another text. */
    private static final String KUBELET_API_VERSION = "0.1.0";

    VersionResponse version() {
        return VersionResponse.newBuilder().setVersion(KUBELET_API_VERSION).setRuntimeName("berth")
                .setRuntimeVersion(berthVersion).setRuntimeApiVersion("v1").build();
    }

    StatusResponse status(boolean verbose) {
        NetworkStatus network = node.network().status();
        var answer = StatusResponse.newBuilder().setStatus(RuntimeStatus.newBuilder()
                .addConditions(RuntimeCondition.newBuilder().setType("RuntimeReady").setStatus(true))
                .addConditions(RuntimeCondition.newBuilder().setType("NetworkReady").setStatus(network.ready())
                        .setReason(network.reason()).setMessage(network.message())));
        answer.setFeatures(RuntimeFeatures.newBuilder().setSupplementalGroupsPolicy(true).setUserNamespacesHostNetwork(true));
        addHandler(answer, "", node.settings().defaultHandler());
        node.runtimes().keySet().stream().sorted().forEach(name -> addHandler(answer, name, name));
        if (verbose) {
            others.get().forEach((kind, who) -> answer.putInfo(kind, JsonMapper.shared().writeValueAsString(who)));
            answer.putInfo("config", JsonMapper.shared().writeValueAsString(effective));
            answer.putInfo("berth", JsonMapper.shared().writeValueAsString(Map.of(
                    "root", node.directories().root().toString(), "state", node.directories().state().toString(),
                    "cgroupVersion", node.cgroups().isUnified() ? 2 : 1)));
        }
        return answer.build();
    }

    private void addHandler(StatusResponse.Builder answer, String name, String handler) {
        answer.addRuntimeHandlers(RuntimeHandler.newBuilder().setName(name).setFeatures(RuntimeHandlerFeatures.newBuilder()
                .setRecursiveReadOnlyMounts(node.runtime(handler).supportsMountOption("rro"))
                .setUserNamespaces(node.runtime(handler).supportsUserNamespaces()
                        && node.snapshotter(handler).mapsOwners())));
    }

    RuntimeConfigResponse runtimeConfig() {
        return RuntimeConfigResponse.newBuilder().setLinux(LinuxRuntimeConfiguration.newBuilder().setCgroupDriver(
                node.settings().systemdCgroup() ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS)).build();
    }
}
