package io.berth.shim;

import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import io.berth.linux.CgroupUsage;
import io.berth.linux.Cgroups;
import io.berth.linux.Command;
import io.berth.linux.PlatformThreads;
import io.berth.runtime.Attachment;
import io.berth.runtime.ContainerRuntime;
import io.berth.runtime.OciRuntime;
import io.berth.runtime.RunningProcess;
import io.berth.runtime.RuntimeHandler;
import io.berth.runtime.SandboxTasks;
import io.berth.shim.v2.StateResponse;
import io.berth.shim.v2.StatsResponse;
import io.berth.shim.v2.TaskRequest;
import io.berth.shim.v2.UpdateTaskRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Containers behind a shim, one shim for each pod. What is asked goes to the shim; Berth itself watches. Thread-safe. */
public final class ShimRuntime implements ContainerRuntime {

    /** How long a call may take. Tests of shims that hang do not wait for so long. */
    private static final Duration LIMIT = Duration.ofMillis(Long.getLong("berth.shim.limit.millis", 60_000));

    private final ShimSite site;
    private final ShimSandboxes sandboxes;
    private final Optional<OciRuntime> oci;
    private final Map<String, ShimContainer> containers = new ConcurrentHashMap<>();

    /** @param oci the OCI runtime that a shim for runc uses, for what only that can be asked */
    public ShimRuntime(ShimHandler handler, ShimPaths paths, Cgroups cgroups, Optional<OciRuntime> oci) {
        this.site = new ShimSite(handler, paths, new ShimProgram(handler, paths, LIMIT), cgroups, LIMIT);
        this.sandboxes = new ShimSandboxes(site);
        this.oci = oci;
    }

    @Override
    public RuntimeHandler handler() {
        return site.handler().handler();
    }

    @Override
    public Optional<SandboxTasks> sandboxes() {
        return Optional.of(sandboxes);
    }

    @Override
    public FirstProcess create(NewContainer container) {
        ShimContainer made = new ShimContainer(shim(container.sandboxId()), container);
        containers.put(container.id(), made);
        return made.create();
    }

    private Shim shim(String sandboxId) {
        return sandboxes.find(sandboxId).filter(shim -> !shim.isDead()).orElseThrow(() -> RuntimeFault.precondition(
                "ask the shim of sandbox " + sandboxId + ": it has ended: stop the pod and run a new one"));
    }

    private ShimContainer container(String id) {
        ShimContainer known = containers.get(id);
        if (known == null) {
            throw RuntimeFault.precondition("ask the shim of container " + id + ": it has ended");
        }
        return known;
    }

    @Override
    public void adopt(NewContainer container) {
        Optional<Shim> shim = sandboxes.find(container.sandboxId());
        if (shim.isEmpty()) {
            return;
        }
        ShimContainer adopted = new ShimContainer(shim.get(), container);
        containers.put(container.id(), adopted);
        if (shim.get().isDead()) {
            adopted.endWithoutShim("it was gone when Berth started");
            return;
        }
        adopted.adopt();
        ShimProcess.endLost(adopted);
    }

    @Override
    public void start(String id, int pid) {
        container(id).start();
    }

    @Override
    public void signal(String id, FirstProcess process, int signal) {
        ShimContainer container = containers.get(id);
        if (container != null && !container.shim().isDead()) {
            container.signal(signal);
        }
    }

    @Override
    public boolean isWatched(String id) {
        ShimContainer container = containers.get(id);
        return container != null && container.shim().answers();
    }

    @Override
    public Optional<String> status(String id) {
        ShimContainer container = containers.get(id);
        if (container == null || container.shim().isDead()) {
            return Optional.empty();
        }
        try {
            StateResponse state = container.state();
            return switch (state.getStatus()) {
                case TASK_CREATED -> Optional.of("created");
                case TASK_RUNNING, TASK_PAUSED, TASK_PAUSING -> Optional.of("running");
                case TASK_STOPPED -> Optional.of("stopped");
                case TASK_UNKNOWN, UNRECOGNIZED -> Optional.empty();
            };
        } catch (RuntimeFault failure) {
            if (ShimConnection.isUnknown(failure)) {
                return Optional.empty();
            }
            throw failure;
        }
    }

    @Override
    public void delete(String id) {
        ShimContainer known = containers.get(id);
        if (known == null && !site.isDeleted(id) && Files.exists(site.bundle(id).resolve("config.json"))) {
            known = unwatched(id);
        }
        if (known != null) {
            known.remove();
            containers.remove(id);
        }
    }

    // One that an earlier Berth was making or removing, or whose shim could not be asked.
    private ShimContainer unwatched(String id) {
        String sandboxId = site.specification(id).path("annotations").path("io.kubernetes.cri.sandbox-id").asString("");
        Shim shim = sandboxes.find(sandboxId).orElseGet(() -> sandboxes.gone(sandboxId));
        return new ShimContainer(shim, new NewContainer(id, sandboxId, id, site.bundle(id), Optional.empty(), false, false,
                false));
    }

    @Override
    public void deleteEnded(String id) {
        delete(id);
    }

    @Override
    public void update(String id, ObjectNode resources) {
        UpdateTaskRequest request = UpdateTaskRequest.newBuilder().setId(id).setResources(ShimHandler.any(
                "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
                ByteString.copyFrom(JsonMapper.shared().writeValueAsBytes(resources)))).build();
        try {
            container(id).shim().calls().call("Update", request);
        } catch (RuntimeFault failure) {
            throw ShimContainer.told("update container " + id, failure);
        }
    }

    @Override
    public void reopenLog(String id) {
        container(id).reopenLog();
    }

    @Override
    public Command.Output run(NewProcess process, Duration limit, int outputBytes) {
        return PlatformThreads.await(() -> {
            try (ShimProcess started = ShimProcess.start(container(process.containerId()), process)) {
                return CollectOutput.of(started, limit, outputBytes);
            }
        });
    }

    @Override
    public RunningProcess exec(NewProcess process) {
        return ShimProcess.start(container(process.containerId()), process);
    }

    @Override
    public Attachment attach(String id) {
        return container(id).attach();
    }

    @Override
    public Optional<CgroupUsage> usage(String id) {
        try {
            StatsResponse answer = container(id).shim().calls().call("Stats", TaskRequest.newBuilder().setId(id).build(),
                    StatsResponse.parser());
            return ShimUsage.read(answer.getStats());
        } catch (RuntimeFault failure) {
            if (ShimConnection.isUnknown(failure)) {
                // As when it does not find its group, on a node whose cgroups are not as it expects.
                return Optional.empty();
            }
            throw failure;
        }
    }

    @Override
    public JsonNode features() {
        return oci.map(OciRuntime::features).orElseGet(JsonMapper.shared()::createObjectNode);
    }

    @Override
    public boolean supportsMountOption(String option) {
        return oci.map(runtime -> runtime.supportsMountOption(option)).orElse(false);
    }

    @Override
    public boolean hasOwnKernel() {
        return !site.handler().isRunc();
    }

    @Override
    public List<Leftover> leftovers(Predicate<String> isContainer, Predicate<String> isSandbox) {
        List<Leftover> found = new ArrayList<>();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            List<String> words = process.info().arguments().map(List::of).orElse(List.of());
            Optional<String> id = ShimProgram.id(words)
                    .filter(each -> ShimProgram.isShimOf(words, each, site.paths().socket()));
            if (id.isPresent() && !isSandbox.test(id.get())) {
                // It removes its socket when it is asked, and ends its containers when those are not known either.
                found.add(new Leftover("shim", process.pid() + " of " + id.get(), "ended", process::destroy));
            }
        }
        oci.ifPresent(runtime -> found.addAll(runtime.leftovers(id -> isContainer.test(id) || isSandbox.test(id))));
        return found;
    }
}
