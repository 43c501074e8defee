package io.berth.cli.run;

import com.google.protobuf.ByteString;
import io.berth.cli.client.EndPod;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerMetadata;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.Int64Value;
import io.berth.cri.v1.KeyValue;
import io.berth.cri.v1.LinuxContainerConfig;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.LinuxPodSandboxConfig;
import io.berth.cri.v1.LinuxSandboxSecurityContext;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.cri.v1.PortMapping;
import io.berth.cri.v1.SecurityProfile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A pod with one container, as a person asks for it on the command line.
 *
 * @param name of both
 * @param uid of the pod, unique on the node
 * @param logs directory of the container's log, the pod's own
 * @param arguments replace the image's arguments where there are some
 * @param environment NAME=VALUE each
 */
public record RunRequest(String name, String uid, Path logs, Optional<String> entrypoint, List<String> arguments,
        List<String> environment, List<PortMapping> ports, List<Mount> mounts, Limits limits, Options options) {

    private static final long CPU_PERIOD_MICROS = 100_000;
    private static final long SHARES_OF_A_CPU = 1024;

    /** What the container may use; empty for no limit. */
    public record Limits(Optional<Long> memoryBytes, Optional<Double> cpus) {}

    /** The rest of what can be chosen. */
    public record Options(boolean tty, boolean stdin, boolean privileged, boolean hostNetwork, boolean readOnly,
            Optional<String> user, Optional<String> directory) {}

    private NamespaceOption namespaces() {
        return NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER)
                .setNetwork(options.hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD).build();
    }

    private Map<String, String> labels() {
        return Map.of("io.kubernetes.pod.name", name, "io.kubernetes.pod.namespace", "default", "io.kubernetes.pod.uid", uid,
                "io.kubernetes.container.name", name);
    }

    /** The pod's part. */
    public PodSandboxConfig sandbox() {
        PodSandboxConfig.Builder config = PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder().setName(name).setNamespace("default").setUid(uid))
                .setLogDirectory(logs.toString()).addAllPortMappings(ports).putAllLabels(labels())
                .putAnnotations(EndPod.LOG_DIRECTORY, logs.toString())
                .setLinux(LinuxPodSandboxConfig.newBuilder().setSecurityContext(LinuxSandboxSecurityContext.newBuilder()
                        .setNamespaceOptions(namespaces()).setPrivileged(options.privileged)));
        return options.hostNetwork ? config.build() : config.setHostname(name).build();
    }

    /** The container's part. */
    public ContainerConfig container(String imageId, String reference) {
        ContainerConfig.Builder config = ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(ImageSpec.newBuilder().setImage(imageId).setUserSpecifiedImage(reference))
                .addAllArgs(arguments).addAllMounts(mounts).putAllLabels(labels()).setLogPath(name + ".log")
                .setTty(options.tty).setStdin(options.stdin)
                // Whoever leaves a terminal may come back; the end of a pipe is the end of the input.
                .setStdinOnce(options.stdin && !options.tty)
                .setLinux(LinuxContainerConfig.newBuilder().setResources(resources()).setSecurityContext(security()));
        entrypoint.ifPresent(config::addCommand);
        options.directory.ifPresent(config::setWorkingDir);
        if (options.tty) {
            config.addEnvs(variable("TERM", Optional.ofNullable(System.getenv("TERM")).orElse("xterm")));
        }
        environment.forEach(each -> config.addEnvs(variable(each.substring(0, each.indexOf('=')),
                each.substring(each.indexOf('=') + 1))));
        return config.build();
    }

    private static KeyValue variable(String name, String value) {
        return KeyValue.newBuilder().setKey(name)
                .setValue(ByteString.copyFrom(value, StandardCharsets.UTF_8)).build();
    }

    private LinuxContainerResources resources() {
        LinuxContainerResources.Builder resources = LinuxContainerResources.newBuilder();
        limits.memoryBytes.ifPresent(resources::setMemoryLimitInBytes);
        limits.cpus.ifPresent(cpus -> resources.setCpuPeriod(CPU_PERIOD_MICROS)
                .setCpuQuota((long) (cpus * CPU_PERIOD_MICROS)).setCpuShares(Math.max(2, (long) (cpus * SHARES_OF_A_CPU))));
        return resources.build();
    }

    private LinuxContainerSecurityContext security() {
        LinuxContainerSecurityContext.Builder security = LinuxContainerSecurityContext.newBuilder()
                .setNamespaceOptions(namespaces()).setPrivileged(options.privileged).setReadonlyRootfs(options.readOnly);
        if (!options.privileged) {
            security.setSeccomp(SecurityProfile.newBuilder().setProfileType(SecurityProfile.ProfileType.RuntimeDefault));
        }
        options.user.ifPresent(user -> {
            String[] parts = user.split(":", 2);
            if (parts[0].matches("[0-9]+")) {
                security.setRunAsUser(Int64Value.newBuilder().setValue(Long.parseLong(parts[0])));
            } else {
                security.setRunAsUsername(parts[0]);
            }
            if (parts.length == 2) {
                security.setRunAsGroup(Int64Value.newBuilder().setValue(Long.parseLong(parts[1])));
            }
        });
        return security.build();
    }
}
