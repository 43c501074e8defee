package io.berth.server.rpc;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerFilter;
import io.berth.cri.v1.ContainerResources;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerUser;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.LinuxContainerUser;
import io.berth.pod.container.CriSignals;
import io.berth.pod.record.Container;

/** Containers as the CRI tells of them. */
final class ContainerMessages {

    private ContainerMessages() {}

    static ContainerState state(Container container) {
        return switch (container.phase()) {
            case CREATING, CREATED -> ContainerState.CONTAINER_CREATED;
            case RUNNING -> ContainerState.CONTAINER_RUNNING;
            case EXITED, REMOVING -> ContainerState.CONTAINER_EXITED;
        };
    }

    /** Whether a client may see it: not before its creation has succeeded. */
    static boolean isVisible(Container container) {
        return container.phase() != Container.Phase.CREATING;
    }

    static boolean matches(ContainerFilter filter, Container container) {
        return Selectors.matchesId(filter.getId(), container.id())
                && Selectors.matchesId(filter.getPodSandboxId(), container.sandboxId())
                && (!filter.hasState() || filter.getState().getState() == state(container))
                && Selectors.matches(filter.getLabelSelectorMap(), container.config().getLabelsMap());
    }

    static ImageSpec image(Container container) {
        ImageSpec asked = container.config().getImage();
        return asked.getUserSpecifiedImage().isEmpty() ? asked
                : asked.toBuilder().setImage(asked.getUserSpecifiedImage()).build();
    }

    static io.berth.cri.v1.Container item(Container container) {
        return io.berth.cri.v1.Container.newBuilder().setId(container.id()).setPodSandboxId(container.sandboxId())
                .setMetadata(container.config().getMetadata()).setImage(image(container))
                .setImageRef(container.imageId()).setImageId(container.imageId()).setState(state(container))
                .setCreatedAt(container.createdAtNanos()).putAllLabels(container.config().getLabelsMap())
                .putAllAnnotations(container.config().getAnnotationsMap()).build();
    }

    static ContainerStatus status(Container container) {
        ContainerConfig config = container.config();
        return ContainerStatus.newBuilder().setId(container.id()).setMetadata(config.getMetadata())
                .setState(state(container)).setCreatedAt(container.createdAtNanos())
                .setStartedAt(container.startedAtNanos()).setFinishedAt(container.exit().atNanos())
                .setExitCode(container.exit().code()).setReason(container.exit().reason())
                .setMessage(container.exit().message()).setImage(image(container)).setImageRef(container.imageRef())
                .setImageId(container.imageId()).putAllLabels(config.getLabelsMap())
                .putAllAnnotations(config.getAnnotationsMap()).addAllMounts(container.mounts())
                .setLogPath(container.logPath().map(Object::toString).orElse(""))
                .setResources(ContainerResources.newBuilder().setLinux(container.resources()))
                .setUser(ContainerUser.newBuilder().setLinux(LinuxContainerUser.newBuilder()
                        .setUid(container.user().uid()).setGid(container.user().gid())
                        .addAllSupplementalGroups(container.user().groups())))
                .setStopSignal(CriSignals.of(container.stopSignal())).build();
    }
}
