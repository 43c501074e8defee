package io.berth.server.rpc;

import io.berth.api.v1.ExplainImageRequest;
import io.berth.api.v1.ExplainImageResponse;
import io.berth.api.v1.ExplainedEndpoint;
import io.berth.api.v1.ExportImageRequest;
import io.berth.api.v1.ExportImageResponse;
import io.berth.api.v1.ImageExplanation;
import io.berth.api.v1.ImageFinding;
import io.berth.api.v1.ImportedImage;
import io.berth.api.v1.PruneImagesRequest;
import io.berth.api.v1.PruneImagesResponse;
import io.berth.api.v1.PullProgress;
import io.berth.api.v1.VerifiedImage;
import io.berth.api.v1.VerifyImagesRequest;
import io.berth.base.RuntimeFault;
import io.berth.image.ExplainImage;
import io.berth.image.ExportImage;
import io.berth.image.Image;
import io.berth.image.ImageReference;
import io.berth.image.PullProgress.Snapshot;
import io.berth.image.SharedPulls;
import io.berth.image.VerifyImages;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.cri.v1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What Berth's own API can do with images. Thread-safe. */
public final class ImageTools {

    private static final long WATCH_MILLIS = 100;

    private final Node node;
    private final SharedPulls pulls;
    private final ExplainImage explain;
    private final ExportImage export;
    private final VerifyImages verify;

    public ImageTools(Node node, SharedPulls pulls, ExplainImage explain, ExportImage export) {
        this.node = node;
        this.pulls = pulls;
        this.explain = explain;
        this.export = export;
        this.verify = new VerifyImages(node.images());
    }

    /** Sends what has changed, ten times a second, until the client hangs up. */
    void watch(AnswerStream<PullProgress> stream) {
        Map<String, PullProgress> sent = new HashMap<>();
        while (true) {
            Map<String, PullProgress> now = new HashMap<>();
            for (Snapshot pull : pulls.progress()) {
                for (PullProgress message : messages(pull)) {
                    String key = pull.startedAt() + message.getReference() + message.getDigest();
                    now.put(key, message);
                    if (!message.equals(sent.get(key))) {
                        stream.send(message);
                    }
                }
            }
            sent = now;
            stream.pause(WATCH_MILLIS);
        }
    }

    private static List<PullProgress> messages(Snapshot pull) {
        List<PullProgress> all = new java.util.ArrayList<>();
        pull.layers().forEach(layer -> all.add(PullProgress.newBuilder().setReference(pull.reference())
                .setDigest(layer.blob().toString()).setPhase(layer.phase().name()).setDoneBytes(layer.doneBytes())
                .setTotalBytes(layer.totalBytes()).setUnpackedBytes(layer.unpackedBytes()).build()));
        // Last: who sees that the pull has ended has seen its layers.
        all.add(PullProgress.newBuilder().setReference(pull.reference()).setPhase(pull.phase().name())
                .setDoneBytes(pull.doneBytes()).setTotalBytes(pull.totalBytes()).setRetries(pull.retries())
                .setError(pull.error().orElse("")).build());
        return all;
    }

    ExplainImageResponse explain(ExplainImageRequest request) {
        var answer = ExplainImageResponse.newBuilder();
        for (ExplainImage.Explanation meaning : explain.explain(request.getImage(), Optional.empty())) {
            var explained = ImageExplanation.newBuilder().setReference(meaning.reference()).setTrust(meaning.trust());
            meaning.endpoints().forEach(asked -> explained.addEndpoints(ExplainedEndpoint.newBuilder()
                    .setAddress(asked.address()).setUses(asked.uses()).setCredentials(asked.credentials().orElse(""))
                    .setConnection(asked.connection()).setReason(asked.reason())));
            answer.addMeanings(explained);
        }
        return answer.build();
    }

    void verify(VerifyImagesRequest request, AnswerStream<VerifiedImage> stream) {
        List<Image> wanted = request.getImagesCount() == 0 ? node.images().list()
                : request.getImagesList().stream().map(this::image).toList();
        for (Image image : wanted) {
            List<VerifyImages.Finding> findings = verify.check(image);
            var verified = VerifiedImage.newBuilder().setId(image.id().toString()).addAllNames(image.repoTags());
            findings.forEach(finding -> verified.addFindings(ImageFinding.newBuilder().setObject(finding.object())
                    .setProblem(finding.problem()).setCure(finding.cure())));
            if (!findings.isEmpty() && request.getRepair()) {
                verified.setRepair(repair(image));
            }
            stream.send(verified.build());
        }
    }

    private String repair(Image image) {
        List<String> names = image.repoDigests();
        if (names.isEmpty()) {
            return "it has no name to pull it by";
        }
        try {
            pulls.pull(ImageReference.parse(names.getFirst()), Optional.empty());
            List<VerifyImages.Finding> left = verify.check(image);
            return left.isEmpty() ? "pulled again, all is well" : "pulled again, but " + left.getFirst().object() + ": "
                    + left.getFirst().problem() + ": " + left.getFirst().cure();
        } catch (RuntimeFault fault) {
            return "not repaired: " + fault.getMessage();
        }
    }

    ExportImageResponse export(ExportImageRequest request) {
        if (!request.getPath().startsWith("/")) {
            throw RuntimeFault.invalid("export to \"" + request.getPath() + "\": an absolute path is needed");
        }
        Path target = Path.of(request.getPath());
        export.export(image(request.getImage()), target);
        try {
            return ExportImageResponse.newBuilder().setSizeBytes(Files.size(target)).build();
        } catch (IOException e) {
            throw RuntimeFault.internal("export to " + target + ": " + RuntimeFault.reason(e), e);
        }
    }

    PruneImagesResponse prune(PruneImagesRequest request) {
        Set<String> used = new HashSet<>();
        for (Container container : node.inventory().containers()) {
            used.add(container.imageId());
            container.mounts().stream().map(Mount::getImage).map(volume -> volume.getImage())
                    .flatMap(name -> node.images().find(name).stream()).forEach(image -> used.add(image.id().toString()));
        }
        var answer = PruneImagesResponse.newBuilder();
        for (Image image : node.images().list()) {
            boolean unwanted = request.getAll() || image.repoTags().isEmpty();
            if (unwanted && !image.pinned() && !used.contains(image.id().toString())) {
                if (!request.getDryRun()) {
                    node.images().remove(image.id().toString());
                }
                answer.addImages(ImportedImage.newBuilder().setId(image.id().toString()).setSizeBytes(image.sizeBytes())
                        .addAllNames(image.repoTags().isEmpty() ? image.repoDigests() : image.repoTags()));
            }
        }
        return answer.build();
    }

    private Image image(String wanted) {
        return node.images().find(wanted).orElseThrow(() -> RuntimeFault.notFound("find image " + wanted
                + ": it is not on this node: see \"berth image list\""));
    }
}
