package io.berth.cli.client;

import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import java.util.List;

/** The containers of a pod. */
public final class PodContainers {

    private PodContainers() {}

    /** All of them, also those that have ended. */
    public static List<Container> all(Connection berth, String podId) {
        return berth.runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList().stream()
                .filter(each -> each.getPodSandboxId().equals(podId)).toList();
    }

    /** Ids of those that run. */
    public static List<String> running(Connection berth, String podId) {
        return all(berth, podId).stream().filter(each -> each.getState() == ContainerState.CONTAINER_RUNNING)
                .map(Container::getId).toList();
    }
}
