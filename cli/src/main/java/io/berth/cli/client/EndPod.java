package io.berth.cli.client;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.RemovePodSandboxRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.cri.v1.StopPodSandboxRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Stops and removes pods as the kubelet does: containers first, with their time to end by themselves. */
public final class EndPod {

    /** The annotation in which {@code berth run} notes the log directory that it has made and that goes with the pod. */
    public static final String LOG_DIRECTORY = "io.berth.run/log-directory";

    private EndPod() {}

    /**
     * Stops a pod.
     *
     * @param graceSeconds what each container has between its stop signal and its end by force
     */
    public static void stop(Connection berth, String podId, long graceSeconds) {
        PodContainers.running(berth, podId).forEach(id -> berth.runtime().stopContainer(
                StopContainerRequest.newBuilder().setContainerId(id).setTimeout(graceSeconds).build()));
        berth.runtime().stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(podId).build());
    }

    /** Removes a stopped pod with its containers, and its logs where {@code berth run} has made them. */
    public static void remove(Connection berth, String podId) {
        String logs = berth.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(podId).build())
                .getStatus().getAnnotationsOrDefault(LOG_DIRECTORY, "");
        berth.runtime().removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(podId).build());
        if (!logs.isEmpty()) {
            deleteLogs(Path.of(logs));
        }
    }

    // Only plain log files in that very directory: whoever made the pod has chosen the path.
    private static void deleteLogs(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                if (file.getFileName().toString().contains(".log")) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        } catch (NoSuchFileException gone) {
            // Somebody was faster.
        } catch (IOException e) {
            throw RuntimeFault.internal("remove logs in " + directory + ": " + RuntimeFault.reason(e) + ": remove them by hand", e);
        }
    }
}
