package io.berth.cli.bench;

import io.berth.cli.client.Connection;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PodSandboxFilter;
import io.berth.cri.v1.RemoveContainerRequest;
import io.berth.cri.v1.StopContainerRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The pods of one bench on one contestant, told from all others by a label. Thread-safe. */
final class BenchPods {

    /** In the command line of every workload, and of nothing else. */
    static final String WORKLOAD = "86399";

    private static final String LABEL = "berth.bench";
    // Ends at once when asked to, as a well-behaved server does; a first process gets no default for SIGTERM.
    private static final String[] COMMAND = {"sh", "-c", "trap 'exit 0' TERM; sleep " + WORKLOAD + " & wait"};
    private static final long GRACE_SECONDS = 10;

    private final Contestant contestant;
    private final String bench;
    private final Path logs;
    private final AtomicInteger number = new AtomicInteger();

    /** @param bench the name of the bench: its label and its cgroup */
    BenchPods(Contestant contestant, String bench, Path logs) {
        this.contestant = contestant;
        this.bench = bench;
        this.logs = logs;
    }

    Contestant contestant() {
        return contestant;
    }

    private PodClient client() {
        return new PodClient(contestant.connection());
    }

    /** The configuration of a further pod. The cgroup's parent is named, as the kubelet does. */
    PodSandboxConfig next() {
        PodSandboxConfig.Builder config = PodClient.config("bench-" + number.incrementAndGet(), logs).toBuilder()
                .putLabels(LABEL, bench);
        config.getLinuxBuilder().setCgroupParent("/" + bench);
        return config.build();
    }

    PodClient.Pod runSandbox(PodSandboxConfig config) {
        return client().run(config);
    }

    String create(PodClient.Pod pod, String name) {
        return client().create(pod, PodClient.container(name, COMMAND));
    }

    void start(String container) {
        client().start(container);
    }

    /** A pod of one container that runs. */
    PodClient.Pod run() {
        PodClient.Pod pod = runSandbox(next());
        start(create(pod, "main"));
        return pod;
    }

    void exec(String container) {
        int code = client().exec(container, "true").getExitCode();
        if (code != 0) {
            throw io.berth.base.RuntimeFault.internal("exec true in a pod of the bench: exit code " + code, null);
        }
    }

    void stopContainer(String container) {
        contestant.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container)
                .setTimeout(GRACE_SECONDS).build());
    }

    void removeContainer(String container) {
        contestant.connection().runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container)
                .build());
    }

    void stop(PodClient.Pod pod) {
        client().stop(pod);
    }

    void remove(PodClient.Pod pod) {
        client().remove(pod);
    }

    /** Stops and removes a pod with what is in it. */
    void end(PodClient.Pod pod) {
        stop(pod);
        remove(pod);
    }

    /** Removes all pods of this bench, also those that a failure has left. */
    void removeAll() {
        Connection connection = contestant.connection();
        PodSandboxFilter ours = PodSandboxFilter.newBuilder().putLabelSelector(LABEL, bench).build();
        List<PodClient.Pod> left = connection.runtime().listPodSandbox(ListPodSandboxRequest.newBuilder().setFilter(ours)
                .build()).getItemsList().stream()
                .map(pod -> new PodClient.Pod(pod.getId(), PodSandboxConfig.getDefaultInstance())).toList();
        Parallel.each(left, this::end);
    }
}
