package io.berth.server.console;

import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One pod in full: what it was asked to be, and its steps with their times. Environment variables and annotations are left
 * out: secrets are kept there. Thread-safe.
 */
record PodStory(Node node) {

    private static final double MICROS = 1e3;
    private static final double NANOS_A_MILLI = 1e6;

    /** Empty when there is no pod with exactly this id. */
    Optional<ObjectNode> of(String id) {
        return node.inventory().findSandbox(id).filter(sandbox -> sandbox.id().equals(id)).map(this::story);
    }

    private ObjectNode story(Sandbox sandbox) {
        List<Container> containers = node.inventory().containersOf(sandbox.id()).stream()
                .sorted(Comparator.comparingLong(Container::createdAtNanos)).toList();
        ObjectNode story = JsonMapper.shared().createObjectNode();
        story.put("id", sandbox.id()).put("uid", sandbox.config().getMetadata().getUid())
                .put("hostname", sandbox.config().getHostname()).put("cgroup", sandbox.cgroup())
                .put("logDirectory", sandbox.config().getLogDirectory());
        ObjectNode labels = story.putObject("labels");
        sandbox.config().getLabelsMap().forEach(labels::put);
        ArrayNode inside = story.putArray("containers");
        containers.forEach(container -> container(inside.addObject(), container));
        ArrayNode steps = story.putArray("steps");
        Stream.concat(Stream.of(sandbox.id()), containers.stream().map(Container::id))
                .flatMap(subject -> node.timeline().of(subject).stream())
                .sorted(Comparator.comparing(Timeline.Step::startedAt)).forEach(step -> step(steps.addObject(), step));
        return story;
    }

    private static void container(ObjectNode row, Container container) {
        row.put("id", container.id()).put("log", container.logPath().map(Object::toString).orElse(""))
                .put("user", container.user().uid()).put("pid", container.init().filter(any -> container.isLive())
                        .map(process -> process.pid()).orElse(0))
                .put("memoryLimit", container.resources().getMemoryLimitInBytes())
                .put("cpuQuota", container.resources().getCpuQuota()).put("cpuPeriod", container.resources().getCpuPeriod());
        ArrayNode command = row.putArray("command");
        Stream.concat(container.config().getCommandList().stream(), container.config().getArgsList().stream())
                .forEach(command::add);
        ArrayNode mounts = row.putArray("mounts");
        container.config().getMountsList().forEach(mount -> mounts.addObject().put("from", mount.getHostPath())
                .put("to", mount.getContainerPath()).put("readOnly", mount.getReadonly()));
    }

    // Milliseconds with three decimals: more than a JavaScript number holds of a time since the epoch is lost anyway.
    private static void step(ObjectNode row, Timeline.Step step) {
        row.put("operation", step.operation()).put("step", step.step()).put("subject", step.subject())
                .put("at", Math.floor(UnixTime.nanos(step.startedAt()) / MICROS) / MICROS)
                .put("took", step.nanos() / NANOS_A_MILLI).put("error", step.error());
    }
}
