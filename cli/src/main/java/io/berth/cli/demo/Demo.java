package io.berth.cli.demo;

import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.TimelineRequest;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.cli.client.Connection;
import io.berth.cli.output.TimelineTable;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.DaemonProcess;
import io.berth.cli.scratch.PodClient;
import io.berth.cli.scratch.ScratchNode;
import io.berth.cli.scratch.Traces;
import io.berth.cri.v1.ContainerStatsRequest;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ExecSyncResponse;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.RemoveImageRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The main job from nothing to nothing: a daemon, an image, a pod of two containers that talk to each other, logs, exec,
 * stats, the timeline, and the proof that nothing is left. Used once, by one thread.
 */
final class Demo {

    private static final String PAGE = "Hello from a pod that Berth runs.\n";
    private static final Duration CLIENT_LIMIT = Duration.ofSeconds(20);

    private final DemoOutput out;
    private volatile Optional<ScratchNode> unfinished = Optional.empty();
    private volatile boolean interrupted;

    Demo(DemoOutput out) {
        this.out = out;
    }

    /** Whether all went well; what did not is told. */
    boolean run() {
        long from = System.nanoTime();
        // Ctrl-C reaches the daemon too, so what is there is removed without it.
        Thread cleanUp = Thread.ofPlatform().name("clean-up").unstarted(() -> {
            interrupted = true;
            unfinished.ifPresent(node -> {
                destroy(node);
                System.err.println("\nberth: interrupted; everything was removed");
            });
        });
        Runtime.getRuntime().addShutdownHook(cleanUp);
        try {
            ScratchNode node = ScratchNode.create();
            unfinished = Optional.of(node);
            out.title("Berth demo: a pod from nothing to nothing, in " + node.directory());
            boolean clean = withDaemon(node);
            unfinished = Optional.empty();
            out.blank();
            if (clean) {
                out.good("All well, nothing is left. " + (System.nanoTime() - from) / 1_000_000 + " ms in all.");
            }
            return clean;
        } catch (RuntimeFault | StatusRuntimeException | IOException failure) {
            return failed(failure);
        } finally {
            if (!interrupted) {
                Runtime.getRuntime().removeShutdownHook(cleanUp);
            }
        }
    }

    private boolean failed(Exception failure) {
        if (interrupted) {
            return false;
        }
        out.bad("failed: " + RuntimeFault.reason(failure));
        unfinished.ifPresent(node -> {
            out.quote(daemonLog(node));
            destroy(node);
            List<String> left = node.leftovers();
            out.bad(left.isEmpty() ? "everything was removed" : "still there: " + left);
        });
        unfinished = Optional.empty();
        return false;
    }

    private static void destroy(ScratchNode node) {
        try {
            node.destroy();
        } catch (RuntimeFault stubborn) {
            System.err.println("berth: " + stubborn.getMessage());
        }
    }

    private static String daemonLog(ScratchNode node) {
        try {
            List<String> lines = Files.readAllLines(node.daemonLog());
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 30), lines.size()));
        } catch (IOException none) {
            return "the daemon has not logged anything";
        }
    }

    private boolean withDaemon(ScratchNode node) throws IOException {
        Traces whileRunning;
        Traces afterwards;
        DaemonProcess daemon = step("daemon", node::start, started -> "answers on " + node.socket());
        try (Connection connection = Connection.to(node.socket())) {
            PodClient client = new PodClient(connection);
            makeImage(node, connection);
            PodClient.Pod pod = step("RunPodSandbox", () -> client.run(PodClient.config("demo", node.logs())),
                    made -> RandomId.abbreviated(made.id()) + " at " + address(connection, made) + ", bridge "
                            + node.bridge() + ", subnet " + node.subnet());
            useContainers(node, client, pod);
            showTimeline(connection, pod);
            whileRunning = node.podTraces(Optional.of(daemon));
            step("StopPodSandbox", () -> client.stop(pod));
            step("RemovePodSandbox", () -> client.remove(pod));
            step("RemoveImage", () -> connection.images().removeImage(RemoveImageRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(BusyboxImage.NAME)).build()));
            afterwards = node.podTracesAtRest(Optional.of(daemon));
        }
        step("stop the daemon", daemon::stop);
        boolean clean = showTraces(whileRunning, afterwards);
        step("tear down", node::tearDown);
        List<String> left = node.leftovers();
        out.quote(left.isEmpty() ? "daemon, bridge, firewall table, cgroup and directory: gone" : String.join("\n", left));
        return clean && left.isEmpty();
    }

    private void makeImage(ScratchNode node, Connection connection) {
        Path layout = node.directory().resolve("image");
        step("make an image", () -> BusyboxImage.write(layout, PAGE));
        step("ImportImage", () -> connection.berth().importImage(ImportImageRequest.newBuilder()
                .setPath(layout.toString()).build()).getImages(0), image -> String.join(" ", image.getNamesList())
                + ", %.1f MB".formatted(image.getSizeBytes() / 1e6));
    }

    private static String address(Connection connection, PodClient.Pod pod) {
        return connection.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.id()).build())
                .getStatus().getNetwork().getIp();
    }

    private void useContainers(ScratchNode node, PodClient client, PodClient.Pod pod) throws IOException {
        String web = runContainer(client, pod, "web", "httpd", "-f", "-v", "-p", "80", "-h", "/www");
        // The server may need a moment to listen.
        String fetching = runContainer(client, pod, "client", "sh", "-c",
                "for i in 1 2 3 4 5 6 7 8 9; do wget -qO- http://127.0.0.1/ && exit 0; sleep 0.1; done; exit 1");
        ContainerStatus status = step("client's end", () -> client.awaitExit(fetching, CLIENT_LIMIT),
                ended -> "exit code " + ended.getExitCode());
        out.blank();
        out.title("Logs, as the kubelet reads them");
        String fetched = log(node, "client");
        out.quote(fetched);
        out.quote(log(node, "web"));
        if (status.getExitCode() != 0 || !fetched.contains(PAGE.strip())) {
            throw RuntimeFault.internal("fetch the page over the pod's loopback: the client ended with exit code "
                    + status.getExitCode() + " and the log above", null);
        }
        out.blank();
        out.title("Exec and stats");
        ExecSyncResponse exec = step("ExecSync", () -> client.exec(web, "sh", "-c", "hostname; ip -4 -o addr; ps"),
                answer -> "exit code " + answer.getExitCode());
        out.quote(exec.getStdout().toStringUtf8() + exec.getStderr().toStringUtf8());
        if (exec.getExitCode() != 0) {
            throw RuntimeFault.internal("exec in container web: exit code " + exec.getExitCode(), null);
        }
        step("ContainerStats", () -> client.connection().runtime().containerStats(
                ContainerStatsRequest.newBuilder().setContainerId(web).build()).getStats(),
                stats -> "web: %.2f MB memory, %.1f ms CPU".formatted(stats.getMemory().getWorkingSetBytes().getValue() / 1e6,
                        stats.getCpu().getUsageCoreNanoSeconds().getValue() / 1e6));
    }

    private String runContainer(PodClient client, PodClient.Pod pod, String name, String... command) {
        String id = step("CreateContainer", () -> client.create(pod, PodClient.container(name, command)),
                made -> name + " " + RandomId.abbreviated(made));
        step("StartContainer", () -> client.start(id));
        return id;
    }

    private static String log(ScratchNode node, String container) throws IOException {
        return Files.readString(node.logs().resolve("demo").resolve(container + ".log"));
    }

    private void showTimeline(Connection connection, PodClient.Pod pod) {
        out.blank();
        out.title("Where the time went (berth timeline)");
        TimelineTable.lines(connection.berth().timeline(TimelineRequest.newBuilder().setId(pod.id()).build()).getStepsList())
                .forEach(out::quote);
        out.blank();
        out.title("And away again");
    }

    private boolean showTraces(Traces running, Traces afterwards) {
        StringWriter text = new StringWriter();
        PrintWriter table = new PrintWriter(text);
        table.printf("%-20s %14s %14s%n", "on this node", "pod runs", "pod removed");
        running.byKind().forEach((kind, things) -> table.printf("%-20s %14d %14d%n", kind, things.size(),
                afterwards.byKind().get(kind).size()));
        out.quote(text.toString());
        afterwards.lines().forEach(out::bad);
        return afterwards.isEmpty();
    }

    private void step(String what, Runnable work) {
        step(what, () -> {
            work.run();
            return "";
        }, nothing -> "");
    }

    private <T> T step(String what, Supplier<T> work, Function<T, String> detail) {
        out.begin(what);
        long from = System.nanoTime();
        T result = work.get();
        long nanos = System.nanoTime() - from;
        out.done(what, detail.apply(result), nanos);
        return result;
    }
}
