package io.berth.server.rpc;

import io.berth.base.RuntimeFault;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The {@code info} maps of verbose answers: one JSON document under the key that crictl expects, {@code info}. */
final class VerboseInfo {

    private final Node node;

    VerboseInfo(Node node) {
        this.node = node;
    }

    Map<String, String> of(Sandbox sandbox) {
        ObjectNode info = JsonNodeFactory.instance.objectNode();
        info.put("runtimeHandler", sandbox.handler());
        info.put("pid", sandbox.infra().map(ProcessIdentity::pid).orElse(0));
        info.put("cgroup", sandbox.cgroup());
        ObjectNode pins = info.putObject("namespaces");
        new SandboxNamespaces(node).pins(sandbox).forEach((kind, path) -> pins.put(kind.procName(), path.toString()));
        return Map.of("info", info.toString());
    }

    Map<String, String> of(Container container) {
        ObjectNode info = JsonNodeFactory.instance.objectNode();
        info.put("sandboxID", container.sandboxId());
        info.put("pid", container.isLive() ? container.init().map(ProcessIdentity::pid).orElse(0) : 0);
        info.put("runtimeHandler", container.handler());
        info.put("cgroup", container.cgroup());
        info.put("bundle", node.directories().bundle(container.id()).toString());
        Path spec = node.directories().bundle(container.id()).resolve("config.json");
        if (Files.exists(spec)) {
            try {
                info.set("runtimeSpec", JsonMapper.shared().readTree(Files.readAllBytes(spec)));
            } catch (IOException e) {
                throw RuntimeFault.internal("read " + spec + ": " + RuntimeFault.reason(e), e);
            }
        }
        return Map.of("info", info.toString());
    }
}
