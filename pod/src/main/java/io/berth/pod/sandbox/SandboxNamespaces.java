package io.berth.pod.sandbox;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.linux.Links;
import io.berth.linux.Namespace;
import io.berth.linux.Namespaces;
import io.berth.linux.PauseProgram;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import io.berth.pod.Node;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The namespaces of a sandbox: pinned files below its state directory. */
public final class SandboxNamespaces {

    private final Node node;

    public SandboxNamespaces(Node node) {
        this.node = node;
    }

    void create(Sandbox sandbox) {
        Set<Namespace> kinds = wanted(sandbox.namespaces());
        SandboxSysctls sysctls = new SandboxSysctls(node.settings());
        // On record first: a crash between the pin and the next write would leave the pin unknown.
        Set<Namespace> all = EnumSet.noneOf(Namespace.class);
        all.addAll(kinds);
        boolean sharesPid = sandbox.namespaces().getPid() == NamespaceMode.POD;
        if (sharesPid) {
            all.add(Namespace.PID);
        }
        node.inventory().changeSandbox(sandbox.id(), old -> old.withPinned(all));
        Namespaces.create(kinds, directory(sandbox.id()), () -> {
            if (kinds.contains(Namespace.NET)) {
                Links.loopbackUp();
            }
            if (kinds.contains(Namespace.UTS) && !sandbox.config().getHostname().isEmpty()) {
                Namespaces.setHostname(sandbox.config().getHostname());
            }
            sysctls.apply(sandbox.config(), kinds);
        });
        if (sharesPid) {
            int pid = PauseProgram.start(node.directories().sandbox(sandbox.id()).resolve("infra"),
                    pin(sandbox.id(), Namespace.PID));
            var process = new ProcessIdentity(pid, Processes.startTicks(pid).orElse(0));
            node.inventory().changeSandbox(sandbox.id(), old -> old.withInfra(Optional.of(process)));
        }
    }

    // The host name belongs to the network identity: a pod on the node's network keeps the node's name.
    private static Set<Namespace> wanted(NamespaceOption modes) {
        Set<Namespace> kinds = EnumSet.noneOf(Namespace.class);
        if (modes.getNetwork() != NamespaceMode.NODE) {
            kinds.add(Namespace.NET);
            kinds.add(Namespace.UTS);
        }
        if (modes.getIpc() != NamespaceMode.NODE) {
            kinds.add(Namespace.IPC);
        }
        return kinds;
    }

    /** Ends the sandbox's own processes and namespaces; idempotent. */
    void remove(Sandbox sandbox) {
        sandbox.infra().ifPresent(infra -> {
            infra.signal(Signals.KILL);
            Processes.reap(infra.pid());
        });
        for (Namespace kind : Namespace.values()) {
            Path pin = pin(sandbox.id(), kind);
            if (sandbox.pinned().contains(kind) || java.nio.file.Files.exists(pin)) {
                Namespaces.unpin(pin);
            }
        }
        if (node.inventory().findSandbox(sandbox.id()).isPresent()) {
            node.inventory().changeSandbox(sandbox.id(), old -> old.withPinned(Set.of()).withInfra(Optional.empty()));
        }
    }

    /** The pinned files of a sandbox by kind. */
    public Map<Namespace, Path> pins(Sandbox sandbox) {
        Map<Namespace, Path> pins = new EnumMap<>(Namespace.class);
        sandbox.pinned().forEach(kind -> pins.put(kind, pin(sandbox.id(), kind)));
        return pins;
    }

    private Path directory(String id) {
        return node.directories().sandbox(id).resolve("ns");
    }

    Path pin(String id, Namespace kind) {
        return directory(id).resolve(kind.procName());
    }
}
