package io.berth.pod.sandbox;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.UserNamespace;
import io.berth.linux.Links;
import io.berth.linux.Namespace;
import io.berth.linux.Namespaces;
import io.berth.linux.PauseProgram;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import io.berth.linux.UserNamespaceSet;
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
        boolean sharesPid = sandbox.namespaces().getPid() == NamespaceMode.POD;
        boolean ownUsers = sandbox.ownsUserNamespace();
        // On record first: a crash between a pin and the next write would leave the pin unknown.
        Set<Namespace> all = EnumSet.noneOf(Namespace.class);
        all.addAll(kinds);
        if (sharesPid) {
            all.add(Namespace.PID);
        }
        if (ownUsers) {
            all.add(Namespace.USER);
        }
        node.inventory().changeSandbox(sandbox.id(), old -> old.withPinned(all));
        if (ownUsers) {
            createOwned(sandbox, kinds, sharesPid);
        } else {
            Namespaces.create(kinds, directory(sandbox.id()), () -> furnish(sandbox, kinds));
            if (sharesPid) {
                recordInfra(sandbox, PauseProgram.start(infraDirectory(sandbox), pin(sandbox.id(), Namespace.PID)));
            }
        }
    }

    /** As {@link #create} for a sandbox whose namespaces were made ahead: gives them what the pod asks for. */
    void furnishPrepared(Sandbox sandbox) {
        Set<Namespace> kinds = sandbox.pinned();
        boolean sharesPid = sandbox.namespaces().getPid() == NamespaceMode.POD;
        if (sharesPid) {
            Set<Namespace> all = EnumSet.copyOf(kinds);
            all.add(Namespace.PID);
            node.inventory().changeSandbox(sandbox.id(), old -> old.withPinned(all));
        }
        Namespaces.in(kinds.stream().map(kind -> pin(sandbox.id(), kind)).toList(), () -> {
            furnish(sandbox, kinds);
            return null;
        });
        if (sharesPid) {
            recordInfra(sandbox, PauseProgram.start(infraDirectory(sandbox), pin(sandbox.id(), Namespace.PID)));
        }
    }

    /**
     * Takes back what CRIU does when it restores a container: namespaces that all containers of the pod share get the host
     * name and the settings of the pod that the checkpoint is from. Idempotent.
     */
    public void furnishAgain(Sandbox sandbox) {
        Set<Namespace> kinds = EnumSet.noneOf(Namespace.class);
        kinds.addAll(sandbox.pinned());
        kinds.retainAll(Set.of(Namespace.UTS, Namespace.IPC));
        String name = new SandboxFiles(node).hostname(sandbox.id());
        Namespaces.in(kinds.stream().map(kind -> pin(sandbox.id(), kind)).toList(), () -> {
            if (kinds.contains(Namespace.UTS)) {
                Namespaces.setHostname(name);
            }
            if (kinds.contains(Namespace.IPC)) {
                new SandboxSysctls(node.settings()).applyIpc(sandbox.config());
            }
            return null;
        });
    }

    private void createOwned(Sandbox sandbox, Set<Namespace> kinds, boolean sharesPid) {
        Set<Namespace> owned = EnumSet.noneOf(Namespace.class);
        owned.addAll(kinds);
        if (sharesPid) {
            owned.add(Namespace.PID);
        }
        UserNamespace users = sandbox.namespaces().getUsernsOptions();
        UserNamespaceSet.create(owned, UserNamespaces.ranges(users.getUidsList()),
                UserNamespaces.ranges(users.getGidsList()), infraDirectory(sandbox), directory(sandbox.id()))
                .ifPresent(pid -> recordInfra(sandbox, pid));
        Namespaces.in(kinds.stream().map(kind -> pin(sandbox.id(), kind)).toList(), () -> {
            furnish(sandbox, kinds);
            return null;
        });
    }

    // Runs on a thread that is in the new namespaces.
    private void furnish(Sandbox sandbox, Set<Namespace> kinds) {
        if (kinds.contains(Namespace.NET)) {
            Links.loopbackUp();
        }
        if (kinds.contains(Namespace.UTS) && !sandbox.config().getHostname().isEmpty()) {
            Namespaces.setHostname(sandbox.config().getHostname());
        }
        new SandboxSysctls(node.settings()).apply(sandbox.config(), kinds);
    }

    private void recordInfra(Sandbox sandbox, int pid) {
        var process = new ProcessIdentity(pid, Processes.startTicks(pid).orElse(0));
        node.inventory().changeSandbox(sandbox.id(), old -> old.withInfra(Optional.of(process)));
    }

    private Path infraDirectory(Sandbox sandbox) {
        return node.directories().sandbox(sandbox.id()).resolve("infra");
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
