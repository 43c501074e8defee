package io.berth.pod.container;

import io.berth.base.JoinedOperations;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UndoStack;
import io.berth.base.UnixTime;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerEventType;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.NamespaceMode;
import io.berth.image.Image;
import io.berth.linux.Cgroups;
import io.berth.linux.Namespace;
import io.berth.pod.Node;
import io.berth.pod.checkpoint.Checkpoint;
import io.berth.pod.checkpoint.FitToCheckpoint;
import io.berth.pod.checkpoint.UnpackCheckpoint;
import io.berth.pod.extension.LifecycleHooks;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import io.berth.pod.request.CheckContainer;
import io.berth.pod.sandbox.SandboxFiles;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.pod.sandbox.UserNamespaces;
import io.berth.pod.spec.ProcessUser;
import io.berth.pod.spec.SelinuxLabels;
import io.berth.pod.spec.SpecRequest;
import io.berth.runtime.ContainerRuntime;
import io.berth.snapshot.MappedOwners;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes a container in a sandbox: root file system, specification, monitor, process. The process waits for
 * {@link StartContainer}, which also brings back that of a container which is made from a checkpoint. The intent is on record before the first step; a repeated request joins the one under way.
 */
public final class CreateContainer {

    private record Request(String sandboxId, ContainerConfig config) {}

    private final Node node;
    private final ContainerBundle bundles;
    private final FindOrigin origins;
    private final ContainerVolumes volumes;
    private final SandboxNamespaces namespaces;
    private final SandboxFiles sandboxFiles;
    private final RemoveContainer removeContainer;
    private final JoinedOperations<Request, String> operations = new JoinedOperations<>("create container");

    public CreateContainer(Node node, RemoveContainer removeContainer) {
        this.node = node;
        this.removeContainer = removeContainer;
        this.bundles = new ContainerBundle(node);
        this.origins = new FindOrigin(node);
        this.volumes = new ContainerVolumes(node);
        this.namespaces = new SandboxNamespaces(node);
        this.sandboxFiles = new SandboxFiles(node);
    }

    /**
     * The id of the new container.
     *
     * @throws RuntimeFault NOT_FOUND for an unknown sandbox or image, FAILED_PRECONDITION for a sandbox that is not ready,
     *     ALREADY_EXISTS when the name is taken, else what the failed step says; nothing is left behind then
     */
    public String create(String sandboxId, ContainerConfig config) {
        Sandbox sandbox = node.inventory().sandbox(sandboxId);
        CheckContainer.check(config, sandbox.config().getLogDirectory());
        return operations.join(Container.uniqueName(sandbox.id(), config), new Request(sandbox.id(), config), this::create);
    }

    /** Whether a container with the name of {@code config} is being made in the sandbox at this moment. */
    public boolean isCreating(String sandboxId, ContainerConfig config) {
        return operations.isRunning(Container.uniqueName(sandboxId, config));
    }

    private String create(Request request) {
        Sandbox sandbox = node.inventory().sandbox(request.sandboxId());
        if (sandbox.phase() != Sandbox.Phase.READY) {
            throw RuntimeFault.precondition("create container " + request.config().getMetadata().getName() + ": sandbox "
                    + sandbox.id() + " is not ready: run a new one");
        }
        freeName(request);
        ContainerOrigin origin = origins.of(request.config(), sandbox);
        Image image = origin.image();
        Container intent = intent(sandbox, origin.config(), image);
        String id = intent.id();
        Timeline.Operation timeline = node.timeline().operation(id, "CreateContainer");
        List<String> failedUndos = new ArrayList<>();
        // Held against a removal of the whole sandbox, which waits then and finds the container whole or gone.
        try (var held = node.verbs().lock(id);
                UndoStack undo = new UndoStack("CreateContainer", (step, failure) -> failedUndos.add(step))) {
            // Before the step: a write that failed may have left a record all the same.
            undo.push("record", () -> {
                if (failedUndos.isEmpty()) {
                    node.inventory().removeContainer(id);
                    node.timeline().forget(id);
                }
            });
            timeline.run("record", () -> node.inventory().add(intent));
            undo.push("exit file", () -> node.exits().forget(id));
            undo.push("bundle", () -> bundles.remove(id));
            Optional<MappedOwners> owners = UserNamespaces.owners(sandbox, namespaces);
            Optional<SelinuxLabels.Labels> labels = node.selinux().of(sandbox, origin.config().getLinux().getSecurityContext());
            Optional<String> fileLabel = labels.map(SelinuxLabels.Labels::file);
            origin.checkpoint().ifPresent(from -> timeline.run("checkpoint", () -> files(id).unpack(from)));
            timeline.run("root filesystem", () -> origin.checkpoint().ifPresentOrElse(
                    from -> bundles.prepareRootfs(intent, image, fileLabel, files(id).changes(from)),
                    () -> bundles.prepareRootfs(intent, image, owners, fileLabel)));
            List<Mount> mounts = timeline.step("volumes", () -> volumes.prepare(intent, owners, fileLabel));
            ProcessUser user = timeline.step("user", () -> user(intent, image));
            ObjectNode spec = timeline.step("specification", () -> specify(sandbox, intent, image, mounts, user, labels));
            undo.push("plugins", () -> node.hooks().containerUndone(node.inventory().container(id)));
            Container adjusted = timeline.step("plugins", () -> adjust(sandbox, intent, spec));
            origin.checkpoint().ifPresent(from -> fit(sandbox, intent, from, spec));
            timeline.run("bundle", () -> bundles.writeSpec(id, spec));
            timeline.run("log directory", () -> bundles.prepareLog(intent));
            node.cgroups().expectMove();
            undo.push("process", () -> node.runtime(intent.handler()).delete(id));
            undo.push("cgroup", () -> node.cgroups().kill(adjusted.cgroup()));
            if (origin.checkpoint().isPresent()) {
                timeline.run("log", () -> intent.logPath().ifPresent(files(id)::continueLog));
                timeline.run("created", () -> node.inventory().changeContainer(id, container ->
                        container.awaitingRestore(user.user(), mounts)));
            } else {
                makeProcess(intent, timeline, user, mounts);
            }
            refuseStoppedSandbox(sandbox.id());
            undo.commit();
            node.events().container(ContainerEventType.CONTAINER_CREATED_EVENT, id, sandbox.id());
            node.hooks().containerCreated(node.inventory().container(id));
            return id;
        }
    }

    private void fit(Sandbox sandbox, Container container, Checkpoint from, ObjectNode spec) {
        Path images = files(container.id()).images();
        String name = container.config().getMetadata().getName();
        FitToCheckpoint.fit(name, from, container.config().getMountsList(), spec, images,
                node.directories().bundle(container.id()));
        if (!sandbox.onHostNetwork()) {
            FitToCheckpoint.addresses(name, from, sandbox.addresses(), images);
        }
    }

    private UnpackCheckpoint files(String id) {
        return new UnpackCheckpoint(node.directories().restore(id));
    }

    private void makeProcess(Container intent, Timeline.Operation timeline, ProcessUser user, List<Mount> mounts) {
        ContainerRuntime.FirstProcess created = timeline.step("runtime create", () ->
                node.runtime(intent.handler()).create(intent.described(node.directories().bundle(intent.id()))));
        timeline.run("created", () -> node.inventory().changeContainer(intent.id(), container ->
                container.created(ProcessIdentity.of(created), user.user(), mounts)));
    }

    // The sandbox may have been stopped meanwhile: its stop did not see this container, so it must not come to be.
    private void refuseStoppedSandbox(String sandboxId) {
        if (node.inventory().findSandbox(sandboxId).map(Sandbox::phase).orElse(Sandbox.Phase.STOPPED)
                != Sandbox.Phase.READY) {
            throw RuntimeFault.precondition("create container: sandbox " + sandboxId + " was stopped meanwhile");
        }
    }

    private Container intent(Sandbox sandbox, ContainerConfig config, Image image) {
        String id = RandomId.next();
        String handler = sandbox.handler();
        String cgroup = Cgroups.isBySystemd(sandbox.cgroup()) ? sandbox.cgroup() + ":berth:" + id : sandbox.cgroup() + "/" + id;
        Optional<Path> log = sandbox.config().getLogDirectory().isEmpty() || config.getLogPath().isEmpty()
                ? Optional.empty() : Optional.of(Path.of(sandbox.config().getLogDirectory(), config.getLogPath()).normalize());
        String reference = image.repoDigests().isEmpty() ? image.id().toString() : image.repoDigests().getFirst();
        return new Container(id, sandbox.id(), config, image.id().toString(), reference, handler, cgroup, log,
                StopSignals.of(config, image.config()), Container.User.ROOT,
                List.of(), config.getLinux().getResources(),
                UnixTime.now(), Container.Phase.CREATING, Optional.empty(), 0, Container.Exit.NONE, Optional.empty());
    }

    private Container adjust(Sandbox sandbox, Container container, ObjectNode spec) {
        LifecycleHooks.Adjusted result = node.hooks().containerCreating(sandbox, container, spec);
        return node.inventory().changeContainer(container.id(), old -> old.adjusted(result.resources(), result.cgroup()));
    }

    private ProcessUser user(Container container, Image image) {
        return ProcessUser.resolve(container.config().getLinux().getSecurityContext(), image.config().user(),
                node.directories().rootfs(container.id()));
    }

    private ObjectNode specify(Sandbox sandbox, Container container, Image image, List<Mount> mounts, ProcessUser user,
            Optional<SelinuxLabels.Labels> labels) {
        var security = container.config().getLinux().getSecurityContext();
        Path rootfs = node.directories().rootfs(container.id());
        Map<Namespace, Path> joined = namespaces.pins(sandbox);
        if (security.getNamespaceOptions().getPid() == NamespaceMode.POD) {
            if (!joined.containsKey(Namespace.PID)) {
                throw RuntimeFault.invalid("create container " + container.config().getMetadata().getName()
                        + ": it asks for the pod's PID namespace, and sandbox " + sandbox.id() + " was made without one");
            }
        } else if (security.getNamespaceOptions().getPid() == NamespaceMode.TARGET) {
            joined.put(Namespace.PID, targetPidNamespace(sandbox, security.getNamespaceOptions().getTargetId()));
        }
        SpecRequest request = new SpecRequest(sandbox, container, image.config(),
                node.runtime(container.handler()), rootfs, !security.getReadonlyRootfs(), user.user(), joined,
                sandboxFiles.mounts(sandbox), mounts, user.home(), labels);
        return node.specs().write(request);
    }

    private Path targetPidNamespace(Sandbox sandbox, String targetId) {
        Container target = node.inventory().container(targetId);
        if (!target.sandboxId().equals(sandbox.id())) {
            throw RuntimeFault.invalid("share the PID namespace of container " + targetId + ": it is in another sandbox");
        }
        ProcessIdentity init = target.init().filter(ProcessIdentity::isAlive).orElseThrow(() -> RuntimeFault.precondition(
                "share the PID namespace of container " + targetId + ": it does not run"));
        return Path.of("/proc/" + init.pid() + "/ns/pid");
    }

    // One that is not whole is what a failed attempt could not take back: no other attempt of this name runs beside us.
    private void freeName(Request request) {
        String name = Container.uniqueName(request.sandboxId(), request.config());
        for (Container taken : node.inventory().containersOf(request.sandboxId())) {
            if (!Container.uniqueName(taken.sandboxId(), taken.config()).equals(name)) {
                continue;
            }
            if (taken.phase() != Container.Phase.CREATING) {
                throw new RuntimeFault(RuntimeFault.Kind.ALREADY_EXISTS, "create container "
                        + request.config().getMetadata().getName() + ": attempt "
                        + request.config().getMetadata().getAttempt() + " is container " + taken.id()
                        + ": remove that one or use another attempt number");
            }
            removeContainer.remove(taken.id());
        }
    }
}
