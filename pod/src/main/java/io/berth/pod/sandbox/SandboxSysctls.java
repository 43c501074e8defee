package io.berth.pod.sandbox;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.linux.Namespace;
import io.berth.pod.NodeSettings;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Kernel settings of a pod's own namespaces. Whether one is allowed is the kubelet's decision; it must be the pod's. */
record SandboxSysctls(NodeSettings settings) {

    private static final Set<String> IPC = Set.of("kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
            "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced");

    /** Refuses a name or value that is not one, and a setting whose namespace the pod shares with the node. */
    static void validate(PodSandboxConfig config) {
        NamespaceOption modes = config.getLinux().getSecurityContext().getNamespaceOptions();
        config.getLinux().getSysctlsMap().forEach((given, value) -> {
            String name = given.replace('/', '.');
            if (!name.matches("[a-zA-Z0-9_-]+(\\.[a-zA-Z0-9_*-]+)+") || value.chars().anyMatch(c -> c < 0x20 && c != '\t')) {
                throw RuntimeFault.invalid("set sysctl \"" + given + "\": the name or its value is malformed");
            }
            boolean own = name.startsWith("net.") ? modes.getNetwork() != NamespaceMode.NODE
                    : (IPC.contains(name) || name.startsWith("fs.mqueue.")) && modes.getIpc() != NamespaceMode.NODE;
            if (!own) {
                throw RuntimeFault.invalid("set sysctl " + name
                        + ": it would change the node: the pod has no namespace of its own for it");
            }
        });
    }

    /** Writes them; to be called inside the new namespaces, on their thread. */
    void apply(PodSandboxConfig config, Set<Namespace> kinds) {
        Map<String, String> values = new TreeMap<>();
        if (kinds.contains(Namespace.NET)) {
            if (settings.unprivilegedPorts()) {
                values.put("net.ipv4.ip_unprivileged_port_start", "0");
            }
            if (settings.unprivilegedPing()) {
                values.put("net.ipv4.ping_group_range", "0 " + highestGroup(config));
            }
        }
        config.getLinux().getSysctlsMap().forEach((name, value) -> values.put(name.replace('/', '.'), value));
        values.forEach(SandboxSysctls::set);
    }

    /** Writes again what the pod asks for in its IPC namespace; to be called inside it. */
    void applyIpc(PodSandboxConfig config) {
        new TreeMap<>(config.getLinux().getSysctlsMap()).forEach((name, value) -> {
            String plain = name.replace('/', '.');
            if (!plain.startsWith("net.")) {
                set(plain, value);
            }
        });
    }

    // The kernel refuses a group that the namespace's owner has no mapping for.
    private static long highestGroup(PodSandboxConfig config) {
        NamespaceOption modes = config.getLinux().getSecurityContext().getNamespaceOptions();
        return UserNamespaces.isOwn(modes) ? modes.getUsernsOptions().getGids(0).getLength() - 1L : Integer.MAX_VALUE;
    }

    private static void set(String name, String value) {
        String file = "/proc/sys/" + name.replace('.', '/');
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(value.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw RuntimeFault.invalid("set sysctl " + name + " to \"" + value + "\": " + RuntimeFault.reason(e));
        }
    }
}
