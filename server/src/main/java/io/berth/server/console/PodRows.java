package io.berth.server.console;

import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * All pods with their containers as rows of the page, the newest first. Also those in creation, which clients of the interface
 * are not shown: a pod that hangs there is what one looks for. Times are milliseconds since the epoch, 0 for never.
 */
final class PodRows {

    private PodRows() {}

    static ObjectNode message(Collection<Sandbox> sandboxes, Collection<Container> containers) {
        Map<String, List<Container>> byPod = containers.stream().collect(Collectors.groupingBy(Container::sandboxId));
        ObjectNode message = JsonMapper.shared().createObjectNode();
        message.put("kind", "pods");
        ArrayNode pods = message.putArray("pods");
        sandboxes.stream().filter(sandbox -> sandbox.phase() != Sandbox.Phase.PREPARED)
                .sorted(Comparator.comparingLong(Sandbox::createdAtNanos).reversed())
                .forEach(sandbox -> pod(pods.addObject(), sandbox, byPod.getOrDefault(sandbox.id(), List.of())));
        return message;
    }

    private static void pod(ObjectNode row, Sandbox sandbox, List<Container> containers) {
        var metadata = sandbox.config().getMetadata();
        row.put("id", sandbox.id()).put("name", metadata.getName()).put("namespace", metadata.getNamespace())
                .put("attempt", metadata.getAttempt()).put("state", sandbox.phase().name().toLowerCase(Locale.ROOT))
                .put("createdAt", millis(sandbox.createdAtNanos())).put("handler", sandbox.handler())
                .put("hostNetwork", sandbox.onHostNetwork());
        ArrayNode addresses = row.putArray("addresses");
        sandbox.addresses().forEach(addresses::add);
        ArrayNode inside = row.putArray("containers");
        containers.stream().sorted(Comparator.comparingLong(Container::createdAtNanos))
                .forEach(container -> container(inside.addObject(), container));
    }

    private static void container(ObjectNode row, Container container) {
        var metadata = container.config().getMetadata();
        row.put("id", container.id()).put("name", metadata.getName()).put("attempt", metadata.getAttempt())
                .put("state", container.phase().name().toLowerCase(Locale.ROOT))
                .put("image", container.config().getImage().getUserSpecifiedImage().isEmpty()
                        ? container.config().getImage().getImage() : container.config().getImage().getUserSpecifiedImage())
                .put("createdAt", millis(container.createdAtNanos())).put("startedAt", millis(container.startedAtNanos()))
                .put("endedAt", millis(container.exit().atNanos())).put("exitCode", container.exit().code())
                .put("reason", container.exit().reason()).put("message", container.exit().message());
    }

    static long millis(long nanos) {
        return nanos / 1_000_000;
    }
}
