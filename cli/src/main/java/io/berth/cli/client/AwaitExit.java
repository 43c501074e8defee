package io.berth.cli.client;

import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerStatusRequest;

/** Waits for the end of a container. */
public final class AwaitExit {

    private static final long LOOK_MILLIS = 50;

    private AwaitExit() {}

    /** Waits until the container has ended; its exit code. Plain CRI has no call that waits, so it looks 20 times a second. */
    public static int code(Connection berth, String id) throws InterruptedException {
        ContainerStatusRequest request = ContainerStatusRequest.newBuilder().setContainerId(id).build();
        ContainerStatus status = berth.runtime().containerStatus(request).getStatus();
        while (status.getState() != ContainerState.CONTAINER_EXITED) {
            Thread.sleep(LOOK_MILLIS);
            status = berth.runtime().containerStatus(request).getStatus();
        }
        return status.getExitCode();
    }
}
