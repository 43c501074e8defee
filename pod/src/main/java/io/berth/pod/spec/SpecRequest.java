package io.berth.pod.spec;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.Mount;
import io.berth.image.ImageConfig;
import io.berth.linux.Namespace;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.runtime.ContainerRuntime;
import io.berth.runtime.RuntimeHandler;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a container's specification is written from.
 *
 * @param runtime what runs it
 * @param rootfs the mounted root file system
 * @param rootfsWritable false where the CRI asks for a read-only root
 * @param user whom the process runs as
 * @param namespaces the pinned namespaces to join; a kind that is absent is new or the host's, as its mode says
 * @param podFiles the sandbox's own files to mount: hosts, hostname, resolv.conf, shm, by their path in the container
 * @param mounts what the CRI asks to be mounted, with real host paths
 * @param home the user's home directory, for the environment
 * @param selinux the labels that it runs under
 */
public record SpecRequest(Sandbox sandbox, Container container, ImageConfig image, ContainerRuntime runtime, Path rootfs,
        boolean rootfsWritable, Container.User user, Map<Namespace, Path> namespaces, Map<String, Path> podFiles,
        List<Mount> mounts, Optional<String> home, Optional<SelinuxLabels.Labels> selinux) {

    public RuntimeHandler handler() {
        return runtime.handler();
    }

    public ContainerConfig config() {
        return container.config();
    }

    public LinuxContainerSecurityContext security() {
        return container.config().getLinux().getSecurityContext();
    }

    public boolean privileged() {
        return security().getPrivileged();
    }
}
