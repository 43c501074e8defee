package io.berth.pod.container;

import io.berth.base.RuntimeFault;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Makes a container's monitor write to a fresh log file after the old one was moved away. */
public final class ReopenContainerLog {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Node node;

    public ReopenContainerLog(Node node) {
        this.node = node;
    }

    /**
     * Returns when the new file is there, since the kubelet looks for it at once.
     *
     * @throws RuntimeFault FAILED_PRECONDITION when the container does not run
     */
    public void reopen(String idOrPrefix) {
        Container container = node.inventory().container(idOrPrefix);
        if (container.phase() != Container.Phase.RUNNING) {
            throw RuntimeFault.precondition("reopen the log of container " + container.id() + ": it does not run");
        }
        if (container.logPath().isEmpty()) {
            return;
        }
        Path log = container.logPath().get();
        node.runtime(container.handler()).reopenLog(container.id());
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!Files.exists(log)) {
            if (System.nanoTime() > deadline) {
                throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "reopen the log of container "
                        + container.id() + ": " + log + " has not appeared: is its directory there and the disk not full?");
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "reopen a log: interrupted", e);
        }
    }
}
