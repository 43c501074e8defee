package io.berth.pod.request;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PortMapping;
import java.net.InetAddress;
import java.util.regex.Pattern;

/** Refuses a pod whose configuration cannot be carried out: names, hostname, paths, ports. */
public final class CheckPodSandbox {

    private static final int HOSTNAME_LENGTH = 64;
    private static final int LAST_PORT = 65_535;
    private static final Pattern HOSTNAME = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?");

    private CheckPodSandbox() {}

    /** @throws RuntimeFault INVALID_ARGUMENT that names the field */
    public static void check(PodSandboxConfig config) {
        var metadata = config.getMetadata();
        if (metadata.getName().isEmpty() || metadata.getNamespace().isEmpty() || metadata.getUid().isEmpty()) {
            throw RuntimeFault.invalid("create sandbox: metadata needs name, namespace and uid");
        }
        RequestText.name("create sandbox: name", metadata.getName());
        String what = "create sandbox " + metadata.getName() + ": ";
        RequestText.name(what + "namespace", metadata.getNamespace());
        RequestText.name(what + "uid", metadata.getUid());
        hostname(what, config.getHostname());
        if (!config.getLogDirectory().isEmpty()) {
            RequestText.absolute(what + "log_directory", config.getLogDirectory());
            RequestText.line(what + "log_directory", config.getLogDirectory());
        }
        RequestText.line(what + "cgroup_parent", config.getLinux().getCgroupParent());
        RequestText.descending(what + "cgroup_parent", config.getLinux().getCgroupParent());
        config.getPortMappingsList().forEach(port -> port(what, port));
    }

    private static void hostname(String what, String hostname) {
        if (hostname.length() > HOSTNAME_LENGTH) {
            throw RuntimeFault.invalid(what + "the hostname has " + hostname.length() + " characters, Linux takes "
                    + HOSTNAME_LENGTH);
        }
        if (!hostname.isEmpty() && !HOSTNAME.matcher(hostname).matches()) {
            throw RuntimeFault.invalid(what + "the hostname \"" + hostname.replaceAll("\\p{Cntrl}", "?")
                    + "\" is not made of letters, digits, \"-\" and \".\"");
        }
    }

    private static void port(String what, PortMapping port) {
        if (port.getHostPort() < 0 || port.getHostPort() > LAST_PORT || port.getContainerPort() > LAST_PORT
                || port.getContainerPort() < (port.getHostPort() > 0 ? 1 : 0)) {
            throw RuntimeFault.invalid(what + "map host port " + port.getHostPort() + " to port " + port.getContainerPort()
                    + ": ports go from 1 to " + LAST_PORT);
        }
        if (!port.getHostIp().isEmpty()) {
            try {
                InetAddress.ofLiteral(port.getHostIp());
            } catch (IllegalArgumentException e) {
                throw RuntimeFault.invalid(what + "map host port " + port.getHostPort() + ": \"" + port.getHostIp()
                        + "\" is not an IP address");
            }
        }
    }
}
