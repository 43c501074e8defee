package io.berth.pod.sandbox;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.DNSConfig;
import io.berth.cri.v1.NamespaceMode;
import io.berth.linux.DirectoryTree;
import io.berth.linux.Mounts;
import io.berth.linux.RelabelTree;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import io.berth.pod.spec.SelinuxLabels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a sandbox brings into its containers: hosts, hostname, resolv.conf and /dev/shm. */
public final class SandboxFiles {

    private static final String HOSTS = """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            fe00::0\tip6-mcastprefix
            fe00::1\tip6-allnodes
            fe00::2\tip6-allrouters
            """;

    private final Node node;

    public SandboxFiles(Node node) {
        this.node = node;
    }

    void create(Sandbox sandbox) {
        Path directory = node.directories().sandbox(sandbox.id());
        try {
            Files.createDirectories(directory);
            String name = sandbox.config().getHostname().isEmpty() ? hostname() : sandbox.config().getHostname();
            Files.writeString(directory.resolve("hostname"), name + "\n");
            Files.writeString(directory.resolve("resolv.conf"), resolvConf(sandbox.config().getDnsConfig()));
            if (sandbox.namespaces().getIpc() != NamespaceMode.NODE) {
                Path shm = Files.createDirectories(directory.resolve("shm"));
                long owner = sandbox.ownsUserNamespace()
                        ? Integer.toUnsignedLong(sandbox.namespaces().getUsernsOptions().getUids(0).getHostId()) : 0;
                Mounts.tmpfs(shm, node.settings().shmBytes(), 01777, owner, owner,
                        Mounts.MS_NOSUID | Mounts.MS_NODEV | Mounts.MS_NOEXEC, fileLabel(sandbox));
            }
            fileLabel(sandbox).ifPresent(label -> List.of("hostname", "resolv.conf").forEach(file ->
                    RelabelTree.at(directory.resolve(file), label)));
        } catch (IOException e) {
            throw RuntimeFault.internal("write the files of sandbox " + sandbox.id() + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Writes the hosts file, once the addresses are known. */
    void writeHosts(Sandbox sandbox, List<String> addresses) {
        try {
            StringBuilder hosts = new StringBuilder();
            if (sandbox.onHostNetwork()) {
                hosts.append(Files.readString(Path.of("/etc/hosts")));
            } else {
                hosts.append(HOSTS);
                addresses.forEach(address ->
                        hosts.append(address).append('\t').append(sandbox.config().getHostname()).append('\n'));
            }
            Path file = node.directories().sandbox(sandbox.id()).resolve("hosts");
            Files.writeString(file, hosts);
            fileLabel(sandbox).ifPresent(label -> RelabelTree.at(file, label));
        } catch (IOException e) {
            throw RuntimeFault.internal("write hosts of sandbox " + sandbox.id() + ": " + RuntimeFault.reason(e), e);
        }
    }

    private Optional<String> fileLabel(Sandbox sandbox) {
        return node.selinux().of(sandbox).map(SelinuxLabels.Labels::file);
    }

    /** The host name of a sandbox, the node's where it has none of its own. */
    String hostname(String id) {
        try {
            return Files.readString(node.directories().sandbox(id).resolve("hostname")).strip();
        } catch (IOException e) {
            throw RuntimeFault.internal("read the hostname of sandbox " + id + ": " + RuntimeFault.reason(e), e);
        }
    }

    /** Where each file belongs in a container. */
    public Map<String, Path> mounts(Sandbox sandbox) {
        Path directory = node.directories().sandbox(sandbox.id());
        Map<String, Path> mounts = new LinkedHashMap<>();
        mounts.put("/etc/hosts", directory.resolve("hosts"));
        mounts.put("/etc/hostname", directory.resolve("hostname"));
        mounts.put("/etc/resolv.conf", directory.resolve("resolv.conf"));
        mounts.put("/dev/shm", sandbox.namespaces().getIpc() == NamespaceMode.NODE
                ? Path.of("/dev/shm") : directory.resolve("shm"));
        return mounts;
    }

    /** Gives the memory of /dev/shm back; idempotent. */
    void unmount(String id) {
        Mounts.unmount(node.directories().sandbox(id).resolve("shm"));
    }

    /** Removes all of the sandbox's files; its namespaces are unpinned before. Idempotent. */
    void remove(String id) {
        DirectoryTree.remove(node.directories().sandbox(id));
    }

    private String resolvConf(DNSConfig dns) throws IOException {
        if (dns.getServersCount() == 0 && dns.getSearchesCount() == 0 && dns.getOptionsCount() == 0) {
            Path host = node.settings().resolvConf().orElse(Path.of("/etc/resolv.conf"));
            return Files.exists(host) ? Files.readString(host) : "";
        }
        StringBuilder text = new StringBuilder();
        if (dns.getSearchesCount() > 0) {
            text.append("search ").append(String.join(" ", checked(dns.getSearchesList()))).append('\n');
        }
        checked(dns.getServersList()).forEach(server -> text.append("nameserver ").append(server).append('\n'));
        if (dns.getOptionsCount() > 0) {
            text.append("options ").append(String.join(" ", checked(dns.getOptionsList()))).append('\n');
        }
        return text.toString();
    }

    // A line break in a value would smuggle a line of its own into the file.
    private static List<String> checked(List<String> values) {
        values.forEach(value -> {
            if (value.isEmpty() || value.chars().anyMatch(c -> c <= 0x20 || c == 0x7f)) {
                throw RuntimeFault.invalid("write resolv.conf: \"" + value + "\" is empty or has blanks in it");
            }
        });
        return values;
    }

    private static String hostname() throws IOException {
        return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    }
}
