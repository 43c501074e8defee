package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.request.CheckContainer;
import io.berth.runtime.ContainerRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A further process in a running container: its specification is that of the container's own with another program. */
public final class ExecProcess {

    private final Node node;

    public ExecProcess(Node node) {
        this.node = node;
    }

    /**
     * What the container's runtime is given.
     *
     * @param steps the operation that this is a step of
     * @throws RuntimeFault FAILED_PRECONDITION when the container does not run
     */
    public ContainerRuntime.NewProcess prepare(Container container, List<String> command, boolean terminal, boolean stdin,
            Timeline.Operation steps) {
        CheckContainer.command("run a command in container " + container.id(), command);
        if (container.phase() != Container.Phase.RUNNING) {
            throw RuntimeFault.precondition("run " + command.getFirst() + " in container " + container.id()
                    + ": it does not run");
        }
        node.cgroups().expectMove();
        return steps.step("prepare", () -> new ContainerRuntime.NewProcess(container.id(),
                process(container, command, terminal), stdin));
    }

    private ObjectNode process(Container container, List<String> command, boolean terminal) {
        Path config = node.directories().bundle(container.id()).resolve("config.json");
        try {
            ObjectNode process = (ObjectNode) JsonMapper.shared().readTree(Files.readAllBytes(config)).get("process");
            command.forEach(process.putArray("args")::add);
            process.put("terminal", terminal);
            return process;
        } catch (IOException | JacksonException e) {
            throw RuntimeFault.during("prepare " + command.getFirst() + " in container " + container.id(), e);
        }
    }
}
