package io.berth.cli;

import com.google.protobuf.Message;
import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.FindPod;
import io.berth.cli.output.Format;
import io.berth.cli.output.Structured;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ImageStatusResponse;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code berth inspect}: all that is known of a container, a pod or an image. */
@Command(name = "inspect", description = "Show all that is known of containers, pods or images, whichever the words fit.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth inspect web", "  berth inspect --pod default/web -o yaml", "  berth inspect --image busybox:1.36"})
final class InspectCommand extends DaemonCommand {

    @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "json",
            description = "json or yaml; default: ${DEFAULT-VALUE}.")
    private Format format;

    @Option(names = "--pod", description = "Look for a pod only.")
    private boolean pod;

    @Option(names = "--image", description = "Look for an image only.")
    private boolean image;

    @Parameters(paramLabel = "NAME", arity = "1..*", description = "An id, the beginning of an id, or a name.")
    private List<String> names;

    @Override
    int run(Connection berth) {
        names.forEach(name -> out().println(Structured.text(opened(look(berth, name)), format)));
        return 0;
    }

    private Message look(Connection berth, String name) {
        if (image) {
            return image(berth, name).orElseThrow(() -> nothing(name, "image"));
        }
        if (pod) {
            return pod(berth, FindPod.named(berth, name));
        }
        try {
            return berth.runtime().containerStatus(ContainerStatusRequest.newBuilder().setVerbose(true)
                    .setContainerId(FindContainer.named(berth, name).getId()).build());
        } catch (DaemonFault notOneContainer) {
            Optional<PodSandbox> found = FindPod.find(berth, name);
            return found.isPresent() ? pod(berth, found.get())
                    : image(berth, name).orElseThrow(() -> notOneContainer.getMessage().contains("it fits") ? notOneContainer
                            : nothing(name, "container, pod or image"));
        }
    }

    private static DaemonFault nothing(String name, String kind) {
        return new DaemonFault(ExitCode.NOT_FOUND, "inspect " + name + ": there is no such " + kind
                + ": \"berth ps -a\", \"berth pods\" and \"berth images\" list all");
    }

    private static Message pod(Connection berth, PodSandbox pod) {
        return berth.runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.getId())
                .setVerbose(true).build());
    }

    private static Optional<Message> image(Connection berth, String name) {
        try {
            ImageStatusResponse status = berth.images().imageStatus(ImageStatusRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(name)).setVerbose(true).build());
            return status.hasImage() ? Optional.of(status) : Optional.empty();
        } catch (StatusRuntimeException refused) {
            // CRI-O calls a short name without an alias an error, not an image that is not there.
            if (refused.getStatus().getCode() == Status.Code.UNKNOWN) {
                return Optional.empty();
            }
            throw refused;
        }
    }

    /** The answer with its verbose parts as objects: the protocol carries them as texts of JSON. */
    private static JsonNode opened(Message answer) {
        ObjectNode tree = (ObjectNode) Structured.tree(answer);
        if (tree.get("info") instanceof ObjectNode info) {
            for (Map.Entry<String, JsonNode> entry : List.copyOf(info.properties())) {
                try {
                    info.set(entry.getKey(), JsonMapper.shared().readTree(entry.getValue().asString("")));
                } catch (JacksonException plainText) {
                    // Then it stays a text.
                }
            }
        }
        return tree;
    }
}
