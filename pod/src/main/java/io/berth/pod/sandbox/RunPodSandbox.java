package io.berth.pod.sandbox;

import io.berth.base.JoinedOperations;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UndoStack;
import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.network.Attachment;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import io.berth.pod.request.CheckPodSandbox;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a sandbox: namespaces, files, network. The intent is on record before the first step, so that whatever a crash
 * leaves is found; a client that repeats its request joins the operation under way.
 */
public final class RunPodSandbox {

    private record Request(PodSandboxConfig config, String handler) {}

    private final Node node;
    private final SandboxNamespaces namespaces;
    private final SandboxFiles files;
    private final SandboxNetwork network;
    private final SandboxTask task;
    private final RemovePodSandbox removeSandbox;
    private final SandboxPool pool;
    private final JoinedOperations<Request, String> operations = new JoinedOperations<>("create sandbox");

    /** @param pool gives a sandbox that was made ahead where it has one that fits */
    public RunPodSandbox(Node node, RemovePodSandbox removeSandbox, SandboxPool pool) {
        this.node = node;
        this.removeSandbox = removeSandbox;
        this.pool = pool;
        this.namespaces = new SandboxNamespaces(node);
        this.files = new SandboxFiles(node);
        this.network = new SandboxNetwork(node);
        this.task = new SandboxTask(node);
    }

    /**
     * The id of the new, ready sandbox.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for a request that cannot be, ALREADY_EXISTS when its name is taken, else what
     *     the failed step says; nothing is left behind then
     */
    public String run(PodSandboxConfig config, String handler) {
        validate(config);
        node.runtime(handler);
        return operations.join(Sandbox.uniqueName(config), new Request(config, node.handlerName(handler)), this::create);
    }

    private void validate(PodSandboxConfig config) {
        CheckPodSandbox.check(config);
        var metadata = config.getMetadata();
        NamespaceOption modes = config.getLinux().getSecurityContext().getNamespaceOptions();
        if (modes.getPid() == NamespaceMode.TARGET) {
            throw RuntimeFault.invalid("create sandbox " + metadata.getName()
                    + ": PID namespace mode TARGET is for containers");
        }
        SandboxSysctls.validate(config);
        UserNamespaces.validate(config);
    }

    /** Whether a sandbox with the name of {@code config} is being made at this moment. */
    public boolean isCreating(PodSandboxConfig config) {
        return operations.isRunning(Sandbox.uniqueName(config));
    }

    private String create(Request request) {
        freeName(request.config());
        try (SandboxPool.Turn turn = pool.turn(request.config())) {
            return create(request, turn.prepared());
        }
    }

    private String create(Request request, Optional<Sandbox> prepared) {
        String id = prepared.map(Sandbox::id).orElseGet(() -> node.selinux().newSandboxId(node.inventory().sandboxes()));
        Timeline.Operation timeline = node.timeline().operation(id, "RunPodSandbox");
        List<String> failedUndos = new ArrayList<>();
        try (UndoStack undo = new UndoStack("RunPodSandbox", (step, failure) -> failedUndos.add(step))) {
            Sandbox intent = new Sandbox(id, request.config(), request.handler(), UnixTime.now(), Sandbox.Phase.CREATING,
                    prepared.map(Sandbox::pinned).orElse(Set.of()), List.of(),
                    prepared.map(Sandbox::networkAttached).orElse(false), cgroup(request, id), Optional.empty());
            // Before the step: a write that failed may have left a record all the same.
            undo.push("record", () -> {
                // With something left, the record stays: the next reconciliation tries again.
                if (failedUndos.isEmpty()) {
                    node.inventory().removeSandbox(id);
                    node.timeline().forget(id);
                }
            });
            // What it was made with ahead is its own from here on, and is taken back with it.
            prepared.ifPresent(taken -> undo.push("prepared", () -> pool.takeApart(id)));
            timeline.run("record", () -> node.inventory().add(intent));
            build(intent, prepared.isPresent(), timeline, undo);
            timeline.run("ready", () -> node.inventory().changeSandbox(id, sandbox -> sandbox.with(Sandbox.Phase.READY)));
            undo.commit();
            node.hooks().sandboxReady(node.inventory().sandbox(id));
            node.events().sandbox(ContainerEventType.CONTAINER_CREATED_EVENT, id);
            node.events().sandbox(ContainerEventType.CONTAINER_STARTED_EVENT, id);
            return id;
        }
    }

    private void build(Sandbox intent, boolean prepared, Timeline.Operation timeline, UndoStack undo) {
        String id = intent.id();
        undo.push("directory", () -> files.remove(id));
        undo.push("namespaces", () -> namespaces.remove(node.inventory().sandbox(id)));
        timeline.run("namespaces", () -> {
            if (prepared) {
                namespaces.furnishPrepared(intent);
            } else {
                namespaces.create(intent);
            }
        });
        timeline.run("files", () -> files.create(node.inventory().sandbox(id)));
        List<String> addresses = List.of();
        if (!intent.onHostNetwork()) {
            undo.push("network", () -> network.detach(node.inventory().sandbox(id)));
            timeline.run("network intent", () ->
                    node.inventory().changeSandbox(id, sandbox -> sandbox.withNetwork(true, List.of())));
            Attachment attachment = timeline.step("network", () -> network.attach(node.inventory().sandbox(id)));
            addresses = attachment.addresses().stream().map(InetAddress::getHostAddress).toList();
            List<String> found = addresses;
            timeline.run("addresses", () ->
                    node.inventory().changeSandbox(id, sandbox -> sandbox.withNetwork(true, found)));
        }
        List<String> hosts = addresses;
        timeline.run("hosts", () -> files.writeHosts(node.inventory().sandbox(id), hosts));
        if (task.isNeeded(intent)) {
            undo.push("sandbox task", () -> task.undo(intent));
            timeline.run("sandbox task", () -> task.run(node.inventory().sandbox(id)));
        }
        undo.push("plugins", () -> node.hooks().sandboxUndone(node.inventory().sandbox(id)));
        timeline.run("plugins", () -> node.hooks().sandboxRunning(node.inventory().sandbox(id)));
    }

    // One that is not whole is what a failed attempt could not take back: no other attempt of this name runs beside us.
    private void freeName(PodSandboxConfig config) {
        String name = Sandbox.uniqueName(config);
        for (Sandbox taken : node.inventory().sandboxes()) {
            if (!Sandbox.uniqueName(taken.config()).equals(name)) {
                continue;
            }
            if (taken.phase() != Sandbox.Phase.CREATING) {
                throw new RuntimeFault(RuntimeFault.Kind.ALREADY_EXISTS, "create sandbox " + taken.podName()
                        + ": attempt " + config.getMetadata().getAttempt() + " is sandbox " + taken.id()
                        + ": remove that one or use another attempt number");
            }
            removeSandbox.remove(taken.id());
        }
    }

    private String cgroup(Request request, String id) {
        String parent = request.config().getLinux().getCgroupParent();
        if (node.runtime(request.handler()).handler().systemdCgroup()) {
            Path name = Path.of(parent).getFileName();
            if (!parent.isEmpty() && (name == null || !name.toString().endsWith(".slice"))) {
                throw RuntimeFault.invalid("create sandbox " + request.config().getMetadata().getName() + ": cgroup parent "
                        + parent + " is no slice, and handler " + request.handler() + " makes cgroups by systemd: set the"
                        + " kubelet's cgroupDriver to systemd, or take options.SystemdCgroup from the handler");
            }
            return parent.isEmpty() ? "system.slice" : name.toString();
        }
        return parent.isEmpty() ? node.settings().defaultCgroup() + "/" + id : parent;
    }
}
