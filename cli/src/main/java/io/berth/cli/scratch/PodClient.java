package io.berth.cli.scratch;

import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerMetadata;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.ExecSyncResponse;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.LinuxContainerConfig;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.LinuxPodSandboxConfig;
import io.berth.cri.v1.LinuxSandboxSecurityContext;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.cri.v1.RemovePodSandboxRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StartContainerRequest;
import io.berth.cri.v1.StopPodSandboxRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The few calls of a client that runs pods, in the order in which the kubelet makes them. Does not own the connection. */
public record PodClient(Connection connection) {

    // The kubelet's default. That of the protocol would be a PID namespace shared by the pod.
    private static final NamespaceOption NAMESPACES = NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build();

    /**
     * A pod that runs.
     *
     * @param config must be repeated with each container
     */
    public record Pod(String id, PodSandboxConfig config) {}

    /** The configuration of a pod with its logs in {@code logs}/NAME. */
    public static PodSandboxConfig config(String name, Path logs) {
        return PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder().setName(name).setNamespace("default").setUid("uid-" + name))
                .setHostname(name).setLogDirectory(logs.resolve(name).toString())
                .setLinux(LinuxPodSandboxConfig.newBuilder().setSecurityContext(
                        LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(NAMESPACES))).build();
    }

    /** Runs a pod. */
    public Pod run(PodSandboxConfig config) {
        String id = connection.runtime().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(config).build())
                .getPodSandboxId();
        return new Pod(id, config);
    }

    /** The configuration of a container from {@link BusyboxImage} with its log in NAME.log. */
    public static ContainerConfig container(String name, String... command) {
        return ContainerConfig.newBuilder().setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(ImageSpec.newBuilder().setImage(BusyboxImage.NAME)).addAllCommand(List.of(command))
                .setLogPath(name + ".log").setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(
                        LinuxContainerSecurityContext.newBuilder().setNamespaceOptions(NAMESPACES))).build();
    }

    /** Creates a container; its id. */
    public String create(Pod pod, ContainerConfig config) {
        return connection.runtime().createContainer(CreateContainerRequest.newBuilder().setPodSandboxId(pod.id())
                .setConfig(config).setSandboxConfig(pod.config()).build()).getContainerId();
    }

    /** Starts a created container. */
    public void start(String container) {
        connection.runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(container).build());
    }

    /** Creates and starts a container; its id. */
    public String run(Pod pod, ContainerConfig config) {
        String id = create(pod, config);
        start(id);
        return id;
    }

    public ContainerStatus status(String container) {
        return connection.runtime().containerStatus(ContainerStatusRequest.newBuilder().setContainerId(container).build())
                .getStatus();
    }

    /**
     * Waits for a container's end.
     *
     * @throws RuntimeFault DEADLINE_EXCEEDED when it has not ended in time
     */
    public ContainerStatus awaitExit(String container, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        ContainerStatus status = status(container);
        while (status.getState() != ContainerState.CONTAINER_EXITED) {
            if (System.nanoTime() > deadline) {
                throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "await the end of container " + container
                        + ": it is " + status.getState() + " after " + limit.toMillis() + " ms");
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "await the end of container " + container
                        + ": interrupted", e);
            }
            status = status(container);
        }
        return status;
    }

    /** Runs a command in a running container. */
    public ExecSyncResponse exec(String container, String... command) {
        return connection.runtime().execSync(ExecSyncRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of(command)).setTimeout(10).build());
    }

    public void stop(Pod pod) {
        connection.runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.id()).build());
    }

    public void remove(Pod pod) {
        connection.runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(pod.id()).build());
    }
}
