package io.berth.cli.run;

import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.client.EndPod;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StartContainerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A pod with one container that this command has made. When making fails, nothing of it is left; when the command is ended by
 * a signal while it watches, the pod is ended as well. Used by one thread beside the one of the shutdown.
 */
public final class RunningPod {

    private static final long GRACE_SECONDS = 10;

    private final Connection berth;
    private final String podId;
    private final String containerId;
    private final Path log;
    private boolean over;

    private RunningPod(Connection berth, String podId, String containerId, Path log) {
        this.berth = berth;
        this.podId = podId;
        this.containerId = containerId;
        this.log = log;
    }

    /** Makes the pod and its container, which is not started yet. */
    public static RunningPod create(Connection berth, RunRequest request, String runtimeHandler, String imageId,
            String reference) {
        makeDirectory(request.logs());
        String pod;
        try {
            pod = berth.runtime().runPodSandbox(RunPodSandboxRequest.newBuilder().setConfig(request.sandbox())
                    .setRuntimeHandler(runtimeHandler).build()).getPodSandboxId();
        } catch (RuntimeException failure) {
            removeDirectory(request.logs(), failure);
            throw failure;
        }
        try {
            String container = berth.runtime().createContainer(CreateContainerRequest.newBuilder().setPodSandboxId(pod)
                    .setConfig(request.container(imageId, reference)).setSandboxConfig(request.sandbox()).build())
                    .getContainerId();
            return new RunningPod(berth, pod, container, request.logs().resolve(request.name() + ".log"));
        } catch (RuntimeException failure) {
            undo(berth, pod, failure);
            throw failure;
        }
    }

    private static void makeDirectory(Path directory) {
        try {
            Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwxr-x---")));
        } catch (IOException e) {
            throw RuntimeFault.precondition("make log directory " + directory + ": " + RuntimeFault.reason(e)
                    + ": name another place with --logs");
        }
    }

    private static void removeDirectory(Path directory, RuntimeException failure) {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private static void undo(Connection berth, String pod, RuntimeException failure) {
        try {
            EndPod.stop(berth, pod, 0);
            EndPod.remove(berth, pod);
        } catch (RuntimeException second) {
            failure.addSuppressed(second);
        }
    }

    /** Starts the container; when that fails the pod is gone. */
    public void start() {
        try {
            berth.runtime().startContainer(StartContainerRequest.newBuilder().setContainerId(containerId).build());
        } catch (RuntimeException failure) {
            undo(berth, podId, failure);
            throw failure;
        }
    }

    /** From now on a signal to this process ends the pod, and removes it where {@code remove}. */
    public void endWithThisProcess(boolean remove) {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> end(remove)));
    }

    /** Stops the pod and removes it where {@code remove}; once: a second caller waits for the first. */
    public synchronized void end(boolean remove) {
        if (!over) {
            over = true;
            EndPod.stop(berth, podId, GRACE_SECONDS);
            if (remove) {
                EndPod.remove(berth, podId);
            }
        }
    }

    /** From now on the pod lives on by itself. */
    public synchronized void leave() {
        over = true;
    }

    public String podId() {
        return podId;
    }

    public String containerId() {
        return containerId;
    }

    /** The container's log file, on this machine. */
    public Path log() {
        return log;
    }
}
