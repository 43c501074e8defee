package io.berth.embedded;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.client.EndPod;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ExecSyncResponse;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PodSandboxStatusRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A running pod of one container. Thread-safe. */
public final class EmbeddedPod {

    private static final String CONTAINER = "main";
    private static final Duration PAUSE = Duration.ofMillis(10);

    /**
     * What a command in the container has left.
     *
     * @param output its standard output, as UTF-8
     * @param error its standard error
     */
    public record Result(int exitCode, String output, String error) {}

    private final Connection connection;
    private final PodClient.Pod pod;
    private final String container;

    private EmbeddedPod(Connection connection, PodClient.Pod pod, String container) {
        this.connection = connection;
        this.pod = pod;
        this.container = container;
    }

    static EmbeddedPod run(Connection connection, Path logs, String image, String... command) {
        PodClient client = new PodClient(connection);
        PodClient.Pod pod = client.run(PodClient.config("embedded-" + RandomId.hex(4), logs));
        try {
            ContainerConfig config = PodClient.container(CONTAINER, command).toBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(image)).build();
            return new EmbeddedPod(connection, pod, client.run(pod, config));
        } catch (RuntimeException failure) {
            EndPod.stop(connection, pod.id(), 0);
            EndPod.remove(connection, pod.id());
            throw failure;
        }
    }

    /** The pod sandbox's id, for calls of {@link Berth#runtime()}. */
    public String id() {
        return pod.id();
    }

    /** The container's id. */
    public String containerId() {
        return container;
    }

    /** The pod's IP address, reachable from this machine. */
    public String address() {
        return connection.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.id()).build())
                .getStatus().getNetwork().getIp();
    }

    /** Runs a command in the container and waits for its end, ten seconds at most. */
    public Result exec(String... command) {
        ExecSyncResponse answer = new PodClient(connection).exec(container, command);
        return new Result(answer.getExitCode(), answer.getStdout().toStringUtf8(), answer.getStderr().toStringUtf8());
    }

    /** What the container has printed so far, a line each, without the times. */
    public List<String> log() {
        Path log = Path.of(pod.config().getLogDirectory(), CONTAINER + ".log");
        try {
            // TIME STREAM TAG TEXT; a tag of P says that the line goes on.
            StringBuilder text = new StringBuilder();
            for (String line : Files.exists(log) ? Files.readAllLines(log) : List.<String>of()) {
                String[] parts = line.split(" ", 4);
                text.append(parts[3]).append(parts[2].startsWith("P") ? "" : "\n");
            }
            return text.toString().lines().toList();
        } catch (IOException e) {
            throw RuntimeFault.internal("read log " + log + ": " + RuntimeFault.reason(e), e);
        }
    }

    /**
     * Waits until the container has printed a line with {@code text} in it.
     *
     * @throws RuntimeFault DEADLINE_EXCEEDED with its log, when {@code limit} passes or it ends without
     */
    public void awaitLog(String text, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (log().stream().noneMatch(line -> line.contains(text))) {
            if (System.nanoTime() > deadline) {
                throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, "await \"" + text + "\" of container " + container
                        + ": not within " + limit + "; it printed:\n" + String.join("\n", log()));
            }
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "await \"" + text + "\": interrupted", e);
            }
        }
    }

    /**
     * Waits for the container's end; its exit code.
     *
     * @throws RuntimeFault DEADLINE_EXCEEDED when it runs on
     */
    public int awaitExit(Duration limit) {
        return new PodClient(connection).awaitExit(container, limit).getExitCode();
    }

    /** Ends and removes the pod. */
    public void remove() {
        EndPod.stop(connection, pod.id(), 0);
        EndPod.remove(connection, pod.id());
    }
}
