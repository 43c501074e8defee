package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.Command;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.runtime.ContainerRuntime;
import java.time.Duration;
import java.util.List;

/** Runs a command in a running container and returns what it printed. Probes come this way, many a second. */
public final class ExecSync {

    /** What is kept of each of stdout and stderr, as with the peers; the rest is read and dropped. */
    private static final int OUTPUT_BYTES = 16 << 20;
    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);

    private final Node node;
    private final ExecProcess processes;

    public ExecSync(Node node) {
        this.node = node;
        this.processes = new ExecProcess(node);
    }

    /**
     * Runs {@code command}.
     *
     * @param limit zero for none
     * @throws RuntimeFault DEADLINE_EXCEEDED when it took longer: it is killed then; INVALID_ARGUMENT without a command
     */
    public Command.Output run(String idOrPrefix, List<String> command, Duration limit) {
        Container container = node.inventory().container(idOrPrefix);
        Timeline.Operation steps = Timeline.unrecorded("ExecSync");
        ContainerRuntime.NewProcess process = processes.prepare(container, command, false, false, steps);
        try {
            return steps.step("run", () -> node.runtime(container.handler()).run(process,
                    limit.isZero() ? WITHOUT_LIMIT : limit, OUTPUT_BYTES));
        } catch (RuntimeFault ended) {
            if (ended.kind() == RuntimeFault.Kind.DEADLINE_EXCEEDED) {
                throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "run " + command.getFirst()
                        + " in container " + container.id() + ": it took longer than " + limit.toSeconds() + " s", ended);
            }
            throw ended;
        }
    }
}
