package io.berth.server.rpc;

import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PodSandboxMetadata;
import io.berth.cri.v1.PullImageRequest;
import io.berth.image.Image;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import java.util.Comparator;

/**
 * Which snapshotter the images of a pod go to: that of the pod's handler. A request names the handler itself (KEP-4216), or in
 * an annotation that containerd made usual; else the pod's sandbox tells, which the kubelet has made before it pulls.
 */
final class FindSnapshotter {

    private static final String HANDLER = "io.containerd.cri.runtime-handler";

    private final Node node;

    FindSnapshotter(Node node) {
        this.node = node;
    }

    /** @throws io.berth.base.RuntimeFault INVALID_ARGUMENT for a handler that is not there */
    String of(PullImageRequest request) {
        return of(handler(request));
    }

    private String of(String handler) {
        return handler.isEmpty() ? "" : node.runtime(handler).handler().snapshotter();
    }

    /** Whether the image is there for the handler that the request names, if it names one. */
    boolean hasFor(ImageSpec wanted, Image image) {
        return wanted.getRuntimeHandler().isEmpty() || node.images().isUsable(image, of(wanted.getRuntimeHandler()));
    }

    private String handler(PullImageRequest request) {
        if (!request.getImage().getRuntimeHandler().isEmpty()) {
            return request.getImage().getRuntimeHandler();
        }
        String named = request.getSandboxConfig().getAnnotationsOrDefault(HANDLER, "");
        return named.isEmpty() && request.getSandboxConfig().hasMetadata() ? ofPod(request.getSandboxConfig().getMetadata())
                : named;
    }

    private String ofPod(PodSandboxMetadata pod) {
        return node.inventory().sandboxes().stream().filter(sandbox -> isOf(sandbox, pod))
                .max(Comparator.comparing(sandbox -> sandbox.config().getMetadata().getAttempt())).map(Sandbox::handler).orElse("");
    }

    private static boolean isOf(Sandbox sandbox, PodSandboxMetadata pod) {
        PodSandboxMetadata of = sandbox.config().getMetadata();
        return of.getUid().equals(pod.getUid()) && of.getNamespace().equals(pod.getNamespace()) && of.getName().equals(pod.getName());
    }
}
