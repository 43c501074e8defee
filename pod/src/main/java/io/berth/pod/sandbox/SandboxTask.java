package io.berth.pod.sandbox;

import io.berth.linux.Cgroups;
import io.berth.linux.Namespace;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import io.berth.pod.spec.SandboxSpec;
import io.berth.runtime.SandboxTasks;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The container that comes before a pod's own, for runtimes that need one: those behind a shim. */
final class SandboxTask {

    private final Node node;
    private final SandboxNamespaces namespaces;
    private final SandboxFiles files;

    SandboxTask(Node node) {
        this.node = node;
        this.namespaces = new SandboxNamespaces(node);
        this.files = new SandboxFiles(node);
    }

    boolean isNeeded(Sandbox sandbox) {
        return tasks(sandbox).isPresent();
    }

    // A handler that has gone from the configuration has nothing to run; what it has left is found by reconciliation.
    private Optional<SandboxTasks> tasks(Sandbox sandbox) {
        return Optional.ofNullable(node.runtimes().get(sandbox.handler())).flatMap(runtime -> runtime.sandboxes());
    }

    void run(Sandbox sandbox) {
        Map<Namespace, Path> pins = namespaces.pins(sandbox);
        String cgroup = Cgroups.isBySystemd(sandbox.cgroup()) ? sandbox.cgroup() + ":berth:" + sandbox.id()
                : sandbox.cgroup() + "/" + sandbox.id();
        tasks(sandbox).orElseThrow().run(sandbox.id(), SandboxSpec.write(sandbox, cgroup,
                node.directories().rootfs(sandbox.id()), pins, files.mounts(sandbox), node.selinux().of(sandbox),
                node.runtime(sandbox.handler())));
    }

    void stop(Sandbox sandbox) {
        tasks(sandbox).ifPresent(tasks -> tasks.stop(sandbox.id()));
        removeCgroup(sandbox);
    }

    void remove(Sandbox sandbox) {
        tasks(sandbox).ifPresent(tasks -> tasks.remove(sandbox.id()));
        removeCgroup(sandbox);
    }

    /** As {@link #remove}, of a sandbox that will not come to be: nobody else removes the group around the task's. */
    void undo(Sandbox sandbox) {
        remove(sandbox);
        if (sandbox.config().getLinux().getCgroupParent().isEmpty() && !Cgroups.isBySystemd(sandbox.cgroup())) {
            node.cgroups().remove(sandbox.cgroup());
        }
    }

    private void removeCgroup(Sandbox sandbox) {
        if (!Cgroups.isBySystemd(sandbox.cgroup())) {
            node.cgroups().kill(sandbox.cgroup() + "/" + sandbox.id());
            node.cgroups().remove(sandbox.cgroup() + "/" + sandbox.id());
        }
    }
}
