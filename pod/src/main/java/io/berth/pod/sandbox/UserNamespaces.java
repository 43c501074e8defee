package io.berth.pod.sandbox;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.UserNamespace;
import io.berth.linux.Namespace;
import io.berth.linux.UserNamespaceSet.IdRange;
import io.berth.pod.record.Sandbox;
import io.berth.snapshot.MappedOwners;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a pod asks of its user namespace, and what follows from it. */
public final class UserNamespaces {

    private UserNamespaces() {}

    /** Whether the pod has one of its own. */
    public static boolean isOwn(NamespaceOption modes) {
        return modes.hasUsernsOptions() && modes.getUsernsOptions().getMode() == NamespaceMode.POD;
    }

    /** Refuses what the CRI says has to be refused. */
    static void validate(PodSandboxConfig config) {
        NamespaceOption modes = config.getLinux().getSecurityContext().getNamespaceOptions();
        if (!modes.hasUsernsOptions()) {
            return;
        }
        UserNamespace wanted = modes.getUsernsOptions();
        String what = "create sandbox " + config.getMetadata().getName() + ": user namespace ";
        switch (wanted.getMode()) {
            case NODE -> {
                if (wanted.getUidsCount() > 0 || wanted.getGidsCount() > 0) {
                    throw RuntimeFault.invalid(what + "mode NODE takes no id mappings");
                }
            }
            case POD -> {
                mapping(what + "uids", wanted.getUidsList());
                mapping(what + "gids", wanted.getGidsList());
                if (modes.getPid() == NamespaceMode.NODE || modes.getIpc() == NamespaceMode.NODE) {
                    throw RuntimeFault.invalid(what + "mode POD does not go with the node's PID or IPC namespace");
                }
            }
            case CONTAINER, TARGET, UNRECOGNIZED ->
                    throw RuntimeFault.invalid(what + "mode " + wanted.getMode() + " is not offered: use POD or NODE");
        }
    }

    private static void mapping(String what, List<IDMapping> mappings) {
        if (mappings.size() != 1) {
            throw RuntimeFault.invalid(what + ": " + mappings.size() + " mappings are given, exactly one is possible");
        }
        IDMapping only = mappings.getFirst();
        if (only.getContainerId() != 0) {
            throw RuntimeFault.invalid(what + ": the mapping begins at " + only.getContainerId() + ", it has to begin at 0");
        }
        if (only.getLength() == 0 || only.getHostId() == 0
                || Integer.toUnsignedLong(only.getHostId()) + Integer.toUnsignedLong(only.getLength()) > 0xffffffffL) {
            throw RuntimeFault.invalid(what + ": the range of " + Integer.toUnsignedString(only.getLength())
                    + " ids from host id " + Integer.toUnsignedString(only.getHostId()) + " is not possible");
        }
    }

    static List<IdRange> ranges(List<IDMapping> mappings) {
        return mappings.stream().map(each -> new IdRange(Integer.toUnsignedLong(each.getContainerId()),
                Integer.toUnsignedLong(each.getHostId()), Integer.toUnsignedLong(each.getLength()))).toList();
    }

    /** Who owns the files of the pod's containers; empty without a user namespace. */
    public static Optional<MappedOwners> owners(Sandbox sandbox, SandboxNamespaces namespaces) {
        if (!sandbox.ownsUserNamespace()) {
            return Optional.empty();
        }
        UserNamespace own = sandbox.namespaces().getUsernsOptions();
        Path pin = namespaces.pins(sandbox).get(Namespace.USER);
        return Optional.of(new MappedOwners(pin, own.getUids(0).getHostId(), own.getGids(0).getHostId()));
    }
}
