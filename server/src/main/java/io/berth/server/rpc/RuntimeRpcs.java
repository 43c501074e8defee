package io.berth.server.rpc;

import com.google.protobuf.ByteString;
import io.berth.base.RuntimeFault;
import io.berth.cri.v1.*;
import io.berth.linux.Command;
import io.berth.pod.Node;
import io.berth.pod.PodVerbs;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.berth.streaming.StreamingServer;
import io.grpc.stub.StreamObserver;
import java.time.Duration;

/** The RuntimeService of the CRI: each call translated and handed to its verb. */
public final class RuntimeRpcs extends RuntimeServiceGrpc.RuntimeServiceImplBase {

    /** A year: what is longer is as good as endless, and does not overflow when it is counted in nanoseconds. */
    private static final long LONGEST_SECONDS = 365L * 24 * 3600;

    private final Node node;
    private final PodVerbs verbs;
    private final NodeStatus status;
    private final StreamingServer streaming;
    private final VerboseInfo verbose;
    private final Answers answers;
    private final ListRpcs lists;
    private final StatsRpcs stats;
    private final EventRpcs events;

    public RuntimeRpcs(Node node, PodVerbs verbs, NodeStatus status, StreamingServer streaming,
            Answers answers) {
        this.node = node;
        this.verbs = verbs;
        this.status = status;
        this.streaming = streaming;
        this.verbose = new VerboseInfo(node);
        this.answers = answers;
        this.lists = new ListRpcs(node, answers);
        this.stats = new StatsRpcs(node, answers);
        this.events = new EventRpcs(node, answers);
    }

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
        answers.send("Version", "", observer, status::version);
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
        answers.send("Status", "", observer, () -> status.status(request.getVerbose()));
    }

    @Override
    public void runtimeConfig(RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> observer) {
        answers.send("RuntimeConfig", "", observer, status::runtimeConfig);
    }

    @Override
    public void updateRuntimeConfig(UpdateRuntimeConfigRequest request,
            StreamObserver<UpdateRuntimeConfigResponse> observer) {
        // The pod CIDR belongs to the CNI plugin's own configuration here.
        answers.send("UpdateRuntimeConfig", "", observer, UpdateRuntimeConfigResponse::getDefaultInstance);
    }

    @Override
    public void runPodSandbox(RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> observer) {
        var metadata = request.getConfig().getMetadata();
        answers.send("RunPodSandbox", metadata.getNamespace() + "/" + metadata.getName(), observer,
                () -> RunPodSandboxResponse.newBuilder()
                        .setPodSandboxId(verbs.runSandbox().run(request.getConfig(), request.getRuntimeHandler())).build());
    }

    @Override
    public void stopPodSandbox(StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> observer) {
        answers.send("StopPodSandbox", request.getPodSandboxId(), observer, () -> {
            verbs.stopSandbox().stop(request.getPodSandboxId());
            return StopPodSandboxResponse.getDefaultInstance();
        });
    }

    @Override
    public void removePodSandbox(RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> observer) {
        answers.send("RemovePodSandbox", request.getPodSandboxId(), observer, () -> {
            verbs.removeSandbox().remove(request.getPodSandboxId());
            return RemovePodSandboxResponse.getDefaultInstance();
        });
    }

    @Override
    public void podSandboxStatus(PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> observer) {
        answers.send("PodSandboxStatus", request.getPodSandboxId(), observer, () -> {
            Sandbox sandbox = node.inventory().sandbox(request.getPodSandboxId());
            if (!SandboxMessages.isVisible(sandbox)) {
                throw RuntimeFault.notFound("find sandbox " + sandbox.id() + ": it is being created");
            }
            var answer = PodSandboxStatusResponse.newBuilder().setStatus(SandboxMessages.status(sandbox));
            node.inventory().containersOf(sandbox.id()).stream().filter(ContainerMessages::isVisible)
                    .forEach(container -> answer.addContainersStatuses(ContainerMessages.status(container)));
            answer.setTimestamp(io.berth.base.UnixTime.now());
            if (request.getVerbose()) {
                answer.putAllInfo(verbose.of(sandbox));
            }
            return answer.build();
        });
    }

    @Override
    public void listPodSandbox(ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> observer) {
        lists.list(request.getFilter(), observer);
    }

    @Override
    public void streamPodSandboxes(StreamPodSandboxesRequest request,
            StreamObserver<StreamPodSandboxesResponse> observer) {
        lists.stream(request.getFilter(), observer);
    }

    @Override
    public void createContainer(CreateContainerRequest request, StreamObserver<CreateContainerResponse> observer) {
        answers.send("CreateContainer", request.getConfig().getMetadata().getName(), observer,
                () -> CreateContainerResponse.newBuilder().setContainerId(
                        verbs.createContainer().create(request.getPodSandboxId(), request.getConfig())).build());
    }

    @Override
    public void startContainer(StartContainerRequest request, StreamObserver<StartContainerResponse> observer) {
        answers.send("StartContainer", request.getContainerId(), observer, () -> {
            verbs.startContainer().start(request.getContainerId());
            return StartContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void stopContainer(StopContainerRequest request, StreamObserver<StopContainerResponse> observer) {
        answers.send("StopContainer", request.getContainerId(), observer, () -> {
            verbs.stopContainer().stop(request.getContainerId(), seconds(request.getTimeout(), "StopContainer timeout"));
            return StopContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void removeContainer(RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> observer) {
        answers.send("RemoveContainer", request.getContainerId(), observer, () -> {
            verbs.removeContainer().remove(request.getContainerId());
            return RemoveContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void containerStatus(ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> observer) {
        answers.send("ContainerStatus", request.getContainerId(), observer, () -> {
            Container container = node.inventory().container(request.getContainerId());
            if (!ContainerMessages.isVisible(container)) {
                throw RuntimeFault.notFound("find container " + container.id() + ": it is being created");
            }
            var answer = ContainerStatusResponse.newBuilder().setStatus(ContainerMessages.status(container));
            if (request.getVerbose()) {
                answer.putAllInfo(verbose.of(container));
            }
            return answer.build();
        });
    }

    @Override
    public void listContainers(ListContainersRequest request, StreamObserver<ListContainersResponse> observer) {
        lists.list(request.getFilter(), observer);
    }

    @Override
    public void streamContainers(StreamContainersRequest request, StreamObserver<StreamContainersResponse> observer) {
        lists.stream(request.getFilter(), observer);
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> observer) {
        answers.send("ExecSync", request.getContainerId(), observer, () -> {
            Command.Output output = verbs.execSync().run(request.getContainerId(), request.getCmdList(),
                    seconds(request.getTimeout(), "ExecSync timeout"));
            return ExecSyncResponse.newBuilder().setStdout(ByteString.copyFrom(output.stdout()))
                    .setStderr(ByteString.copyFrom(output.stderr())).setExitCode(output.exitCode()).build();
        });
    }

    @Override
    public void reopenContainerLog(ReopenContainerLogRequest request,
            StreamObserver<ReopenContainerLogResponse> observer) {
        answers.send("ReopenContainerLog", request.getContainerId(), observer, () -> {
            verbs.reopenLog().reopen(request.getContainerId());
            return ReopenContainerLogResponse.getDefaultInstance();
        });
    }

    @Override
    public void containerStats(ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> observer) {
        stats.container(request.getContainerId(), observer);
    }

    @Override
    public void listContainerStats(ListContainerStatsRequest request,
            StreamObserver<ListContainerStatsResponse> observer) {
        stats.listContainers(request.getFilter(), observer);
    }

    @Override
    public void streamContainerStats(StreamContainerStatsRequest request,
            StreamObserver<StreamContainerStatsResponse> observer) {
        stats.streamContainers(request.getFilter(), observer);
    }

    @Override
    public void podSandboxStats(PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> observer) {
        stats.pod(request.getPodSandboxId(), observer);
    }

    @Override
    public void listPodSandboxStats(ListPodSandboxStatsRequest request,
            StreamObserver<ListPodSandboxStatsResponse> observer) {
        stats.listPods(request.getFilter(), observer);
    }

    @Override
    public void streamPodSandboxStats(StreamPodSandboxStatsRequest request,
            StreamObserver<StreamPodSandboxStatsResponse> observer) {
        stats.streamPods(request.getFilter(), observer);
    }

    @Override
    public void listMetricDescriptors(ListMetricDescriptorsRequest request,
            StreamObserver<ListMetricDescriptorsResponse> observer) {
        stats.descriptors(observer);
    }

    @Override
    public void listPodSandboxMetrics(ListPodSandboxMetricsRequest request,
            StreamObserver<ListPodSandboxMetricsResponse> observer) {
        stats.listMetrics(observer);
    }

    @Override
    public void streamPodSandboxMetrics(StreamPodSandboxMetricsRequest request,
            StreamObserver<StreamPodSandboxMetricsResponse> observer) {
        stats.streamMetrics(observer);
    }

    @Override
    public void getContainerEvents(GetEventsRequest request, StreamObserver<ContainerEventResponse> observer) {
        events.stream(observer);
    }

    @Override
    public void updateContainerResources(UpdateContainerResourcesRequest request,
            StreamObserver<UpdateContainerResourcesResponse> observer) {
        answers.send("UpdateContainerResources", request.getContainerId(), observer, () -> {
            verbs.updateContainer().update(request.getContainerId(), request.getLinux());
            return UpdateContainerResourcesResponse.getDefaultInstance();
        });
    }

    @Override
    public void updatePodSandboxResources(UpdatePodSandboxResourcesRequest request,
            StreamObserver<UpdatePodSandboxResourcesResponse> observer) {
        answers.send("UpdatePodSandboxResources", request.getPodSandboxId(), observer, () -> {
            verbs.updateSandbox().update(request.getPodSandboxId(), request.getOverhead(), request.getResources());
            return UpdatePodSandboxResourcesResponse.getDefaultInstance();
        });
    }

    @Override
    public void exec(ExecRequest request, StreamObserver<ExecResponse> observer) {
        answers.send("Exec", request.getContainerId(), observer, () -> ExecResponse.newBuilder().setUrl(
                streaming.exec(new io.berth.streaming.ExecRequest(runningContainer(request.getContainerId()),
                        request.getCmdList(), request.getTty(), request.getStdin(), request.getStdout(),
                        request.getStderr())).toString()).build());
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
        answers.send("Attach", request.getContainerId(), observer, () -> {
            // Also before its start: who attaches then misses nothing.
            Container found = node.inventory().container(request.getContainerId());
            String id = found.phase() == Container.Phase.CREATED && !found.awaitsRestore() ? found.id()
                    : runningContainer(request.getContainerId());
            boolean tty = node.inventory().container(id).config().getTty();
            return AttachResponse.newBuilder().setUrl(streaming.attach(new io.berth.streaming.AttachRequest(id, tty,
                    request.getStdin(), request.getStdout(), request.getStderr() && !tty)).toString()).build();
        });
    }

    @Override
    public void portForward(PortForwardRequest request, StreamObserver<PortForwardResponse> observer) {
        answers.send("PortForward", request.getPodSandboxId(), observer, () -> {
            Sandbox sandbox = node.inventory().sandbox(request.getPodSandboxId());
            return PortForwardResponse.newBuilder().setUrl(streaming.portForward(
                    new io.berth.streaming.PortForwardRequest(sandbox.id(), request.getPortList())).toString()).build();
        });
    }

    @Override
    public void checkpointContainer(CheckpointContainerRequest request,
            StreamObserver<CheckpointContainerResponse> observer) {
        answers.send("CheckpointContainer", request.getContainerId(), observer, () -> {
            verbs.checkpointContainer().checkpoint(request.getContainerId(), request.getLocation(),
                    seconds(request.getTimeout(), "CheckpointContainer timeout"));
            return CheckpointContainerResponse.getDefaultInstance();
        });
    }

    private String runningContainer(String idOrPrefix) {
        Container container = node.inventory().container(idOrPrefix);
        if (container.phase() != Container.Phase.RUNNING) {
            throw RuntimeFault.precondition("reach container " + container.id() + ": it does not run");
        }
        return container.id();
    }

    private static Duration seconds(long value, String what) {
        if (value < 0) {
            throw RuntimeFault.invalid("use " + what + " " + value + ": it must not be negative");
        }
        return Duration.ofSeconds(Math.min(value, LONGEST_SECONDS));
    }
}
