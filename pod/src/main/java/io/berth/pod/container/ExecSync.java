package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.Command;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

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
        try (ExecProcess.Files files = processes.prepare(container, command, false, steps)) {
            Command runtime = new Command(files.commandLine(), Map.of("PATH", Command.searchPath()), Path.of("/"),
                    limit.isZero() ? WITHOUT_LIMIT : limit, OUTPUT_BYTES);
            Command.Output output;
            try {
                // Killed while the runtime still waits for it: the runtime reaps it, the container's init might not.
                output = steps.step("run", () -> runtime.run(files::kill));
            } catch (RuntimeFault ended) {
                if (ended.kind() == RuntimeFault.Kind.CANCELLED) {
                    // The client has gone: nobody would end a command without a limit.
                    files.kill();
                }
                if (ended.kind() == RuntimeFault.Kind.DEADLINE_EXCEEDED) {
                    throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "run " + command.getFirst()
                            + " in container " + container.id() + ": it took longer than " + limit.toSeconds() + " s", ended);
                }
                throw ended;
            }
            files.refuseFailedStart(output.exitCode(), output.stderrText());
            return output;
        }
    }
}
