package io.berth.server.rpc;

import io.berth.api.v1.BerthGrpc;
import io.berth.api.v1.ExplainImageRequest;
import io.berth.api.v1.ExplainImageResponse;
import io.berth.api.v1.ExportImageRequest;
import io.berth.api.v1.ExportImageResponse;
import io.berth.api.v1.ImportImageRequest;
import io.berth.api.v1.ImportImageResponse;
import io.berth.api.v1.ImportedImage;
import io.berth.api.v1.InfoRequest;
import io.berth.api.v1.InfoResponse;
import io.berth.api.v1.PruneImagesRequest;
import io.berth.api.v1.PruneImagesResponse;
import io.berth.api.v1.PullProgress;
import io.berth.api.v1.ReconciliationRequest;
import io.berth.api.v1.ReconciliationResponse;
import io.berth.api.v1.TimelineRequest;
import io.berth.api.v1.TimelineResponse;
import io.berth.api.v1.TimelineStep;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
import io.berth.api.v1.WatchPullsRequest;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.berth.image.Image;
import io.berth.image.ImportImage;
import io.berth.pod.Node;
import io.berth.pod.Reconcile;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Berth's own API beside the CRI. */
public final class BerthRpcs extends BerthGrpc.BerthImplBase {

    private final Node node;
    private final ImportImage importImage;
    private final ImageTools tools;
    private final NodeStatus status;
    private final Reconcile reconcile;
    private final Answers answers;
    private final long startedAtNanos = UnixTime.now();

    public BerthRpcs(Node node, ImportImage importImage, ImageTools tools, NodeStatus status, Reconcile reconcile,
            Answers answers) {
        this.node = node;
        this.importImage = importImage;
        this.tools = tools;
        this.status = status;
        this.reconcile = reconcile;
        this.answers = answers;
    }

    @Override
    public void importImage(ImportImageRequest request, StreamObserver<ImportImageResponse> observer) {
        answers.send("ImportImage", request.getPath(), observer, () -> {
            if (!request.getPath().startsWith("/")) {
                throw RuntimeFault.invalid("import \"" + request.getPath() + "\": an absolute path is needed");
            }
            List<Image> images = importImage.importFrom(Path.of(request.getPath()),
                    Optional.of(request.getName()).filter(name -> !name.isEmpty()));
            return ImportImageResponse.newBuilder().addAllImages(images.stream().map(image -> ImportedImage.newBuilder()
                    .setId(image.id().toString()).addAllNames(image.repoTags()).setSizeBytes(image.sizeBytes()).build())
                    .toList()).build();
        });
    }

    @Override
    public void watchPulls(WatchPullsRequest request, StreamObserver<PullProgress> observer) {
        answers.stream("WatchPulls", observer, tools::watch);
    }

    @Override
    public void explainImage(ExplainImageRequest request, StreamObserver<ExplainImageResponse> observer) {
        answers.send("ExplainImage", request.getImage(), observer, () -> tools.explain(request));
    }

    @Override
    public void verifyImages(VerifyImagesRequest request, StreamObserver<VerifiedImage> observer) {
        answers.<VerifiedImage>stream("VerifyImages", observer, stream -> tools.verify(request, stream));
    }

    @Override
    public void exportImage(ExportImageRequest request, StreamObserver<ExportImageResponse> observer) {
        answers.send("ExportImage", request.getImage(), observer, () -> tools.export(request));
    }

    @Override
    public void pruneImages(PruneImagesRequest request, StreamObserver<PruneImagesResponse> observer) {
        answers.send("PruneImages", "", observer, () -> tools.prune(request));
    }

    @Override
    public void timeline(TimelineRequest request, StreamObserver<TimelineResponse> observer) {
        answers.send("Timeline", request.getId(), observer, () -> TimelineResponse.newBuilder().addAllSteps(
                subjects(request.getId()).flatMap(id -> node.timeline().of(id).stream())
                        .sorted(Comparator.comparing(Timeline.Step::startedAt)).map(BerthRpcs::step).toList()).build());
    }

    // A sandbox's story includes that of its containers.
    private Stream<String> subjects(String id) {
        Optional<Sandbox> sandbox = node.inventory().findSandbox(id);
        return sandbox.isPresent()
                ? Stream.concat(Stream.of(sandbox.get().id()),
                        node.inventory().containersOf(sandbox.get().id()).stream().map(Container::id))
                : Stream.of(node.inventory().container(id).id());
    }

    private static TimelineStep step(Timeline.Step step) {
        return TimelineStep.newBuilder().setOperation(step.operation()).setStep(step.step())
                .setStartedAtNanos(UnixTime.nanos(step.startedAt())).setDurationNanos(step.nanos())
                .setSubjectId(step.subject()).setError(step.error()).build();
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> observer) {
        answers.send("Info", "", observer, () -> {
            var answer = InfoResponse.newBuilder().setVersion(status.berthVersion())
                    .setRoot(node.directories().root().toString()).setState(node.directories().state().toString())
                    .setStartedAtNanos(startedAtNanos);
            status.effective().forEach((key, value) -> answer.putSettings(key, String.valueOf(value)));
            return answer.build();
        });
    }

    @Override
    public void reconciliation(ReconciliationRequest request, StreamObserver<ReconciliationResponse> observer) {
        answers.send("Reconciliation", "", observer, () -> {
            if (request.getRunNow()) {
                reconcile.run();
            }
            var report = reconcile.report();
            return ReconciliationResponse.newBuilder().setRuns(report.runs()).setLastRunAtNanos(report.lastRunAtNanos())
                    .setLastRunDurationNanos(report.lastRunDurationNanos())
                    .addAllFindings(report.findings().stream().map(BerthRpcs::finding).toList()).build();
        });
    }

    private static io.berth.api.v1.Finding finding(io.berth.pod.Finding finding) {
        return io.berth.api.v1.Finding.newBuilder().setKind(finding.kind()).setSubject(finding.subject())
                .setAction(finding.action()).setError(finding.error()).setFoundAtNanos(finding.atNanos()).build();
    }
}
