package io.berth.server.console;

import io.berth.network.NetworkStatus;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What the top of the page says of the node. */
final class NodeFacts {

    private NodeFacts() {}

    static ObjectNode message(ConsoleSources sources) {
        NetworkStatus network = sources.node().network().status();
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "node").put("host", sources.host()).put("version", sources.version())
                .put("kernel", System.getProperty("os.version"))
                .put("processors", Runtime.getRuntime().availableProcessors())
                .put("runtime", sources.node().settings().defaultHandler())
                .put("network", sources.config().runtime().network().name().toLowerCase(Locale.ROOT))
                .put("cgroups", sources.node().cgroups().isUnified() ? 2 : 1)
                .put("startedAt", sources.startedAtNanos() / 1_000_000)
                .put("networkReady", network.ready()).put("networkMessage", network.message());
        return message;
    }
}
