package io.berth.runtime;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.CgroupUsage;
import io.berth.linux.Command;
import io.berth.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Containers by an OCI runtime's command line, each watched by a conmon of its own. Thread-safe. */
public final class MonitoredRuntime implements ContainerRuntime {

    private final OciRuntime runtime;
    private final ConmonMonitor monitor;
    private final Path bundles;

    /** @param bundles the parent of the containers' bundles */
    public MonitoredRuntime(OciRuntime runtime, ConmonMonitor monitor, Path bundles) {
        this.runtime = runtime;
        this.monitor = monitor;
        this.bundles = bundles;
    }

    private Path bundle(String id) {
        return bundles.resolve(id);
    }

    @Override
    public RuntimeHandler handler() {
        return runtime.handler();
    }

    @Override
    public FirstProcess create(NewContainer container) {
        return monitor.create(runtime, container);
    }

    @Override
    public void start(String id, int pid) {
        runtime.start(id, pid);
    }

    @Override
    public void signal(String id, FirstProcess process, int signal) {
        Processes.signal(process.pid(), process.startTicks(), signal);
    }

    @Override
    public boolean isWatched(String id) {
        return monitor.isAlive(bundle(id));
    }

    @Override
    public Optional<String> status(String id) {
        return runtime.status(id);
    }

    @Override
    public boolean hasBegun(String id, int pid) {
        return runtime.hasBegun(id, pid);
    }

    @Override
    public void adopt(NewContainer container) {
        // Its monitor has never stopped watching.
        if (runtime.isGvisor()) {
            OciExec.endLost(runtime, container.id(), bundle(container.id()));
        }
    }

    @Override
    public void delete(String id) {
        runtime.delete(id, true);
    }

    @Override
    public void deleteEnded(String id) {
        runtime.deleteEnded(id, bundle(id).resolve("config.json"));
    }

    @Override
    public void update(String id, ObjectNode resources) {
        Path file = bundle(id).resolve("update-" + RandomId.hex(4) + ".json");
        try {
            Files.write(file, JsonMapper.shared().writeValueAsBytes(resources));
            try {
                runtime.update(id, file);
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("update container " + id + ": " + RuntimeFault.reason(e), e);
        }
    }

    @Override
    public void reopenLog(String id) {
        monitor.reopenLog(bundle(id));
    }

    @Override
    public Command.Output run(NewProcess process, Duration limit, int outputBytes) {
        try (OciExec exec = new OciExec(runtime, bundle(process.containerId()), process)) {
            Command command = new Command(exec.commandLine(), Map.of("PATH", Command.searchPath()), Path.of("/"), limit,
                    outputBytes);
            Command.Output output;
            try {
                // Killed while the runtime still waits for it: the runtime reaps it, the container's init might not.
                output = command.run(exec::kill);
            } catch (RuntimeFault ended) {
                if (ended.kind() == RuntimeFault.Kind.CANCELLED) {
                    // The client has gone: nobody would end a command without a limit.
                    exec.kill();
                }
                throw ended;
            }
            exec.refuseFailedStart(output.exitCode(), output.stderrText());
            return output;
        }
    }

    @Override
    public RunningProcess exec(NewProcess process) {
        return OciProcess.start(new OciExec(runtime, bundle(process.containerId()), process), process.terminal(),
                process.stdin());
    }

    @Override
    public Attachment attach(String id) {
        return new ConmonAttachment(monitor, bundle(id));
    }

    @Override
    public Optional<CgroupUsage> usage(String id) {
        return Optional.empty();
    }

    @Override
    public Optional<Checkpoints> checkpoints() {
        return Optional.of(new CriuCheckpoints(runtime, monitor, bundles));
    }

    @Override
    public JsonNode features() {
        return runtime.features();
    }

    @Override
    public boolean supportsMountOption(String option) {
        return runtime.supportsMountOption(option);
    }

    @Override
    public boolean knowsCapability(String name) {
        return runtime.knowsCapability(name);
    }

    @Override
    public boolean joinsSandbox() {
        return !runtime.isGvisor();
    }

    @Override
    public boolean hasOwnKernel() {
        return runtime.isGvisor();
    }

    @Override
    public List<Leftover> leftovers(Predicate<String> isContainer, Predicate<String> isSandbox) {
        List<Leftover> found = new ArrayList<>(monitor.leftovers(runtime, isContainer));
        found.addAll(runtime.leftovers(isContainer));
        return found;
    }
}
