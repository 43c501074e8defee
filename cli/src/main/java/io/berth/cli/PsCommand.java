package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.FindPod;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Table;
import io.berth.cli.output.Words;
import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListContainersResponse;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth ps}: the containers of this node. */
@Command(name = "ps", description = "List running containers, or all of them.", mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n", footer = {"  berth ps", "  berth ps -a -o wide", "  berth ps --pod web -q"})
final class PsCommand extends DaemonCommand {

    @Mixin
    private OutputOption output;

    @Option(names = {"-a", "--all"}, description = "Also those that do not run.")
    private boolean all;

    @Option(names = {"-q", "--quiet"}, description = "Only ids.")
    private boolean quiet;

    @Option(names = {"-p", "--pod"}, paramLabel = "POD", description = "Only those of this pod.")
    private Optional<String> pod = Optional.empty();

    @Override
    int run(Connection berth) throws InterruptedException {
        if (quiet) {
            list(berth).getContainersList().forEach(container -> out().println(container.getId()));
            return 0;
        }
        return output.show(out(), () -> {
            ListContainersResponse containers = list(berth);
            return Listing.of(containers, () -> table(berth, containers.getContainersList()));
        });
    }

    private ListContainersResponse list(Connection berth) {
        Optional<String> podId = pod.map(words -> FindPod.named(berth, words).getId());
        List<Container> found = berth.runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList();
        return ListContainersResponse.newBuilder().addAllContainers(found.stream()
                .filter(each -> all || each.getState() == ContainerState.CONTAINER_RUNNING)
                .filter(each -> podId.isEmpty() || podId.get().equals(each.getPodSandboxId())).toList()).build();
    }

    private Table table(Connection berth, List<Container> containers) {
        Map<String, PodSandbox> pods = berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList().stream().collect(Collectors.toMap(PodSandbox::getId, Function.identity()));
        Table table = output.isWide()
                ? new Table("CONTAINER ID", "NAME", "POD", "NAMESPACE", "STATE", ">AGE", ">ATTEMPT", "IMAGE", "IMAGE ID", "POD ID")
                : new Table("CONTAINER ID", "NAME", "POD", "STATE", ">AGE", ">ATTEMPT", "IMAGE");
        for (Container each : containers) {
            PodSandbox of = pods.getOrDefault(each.getPodSandboxId(), PodSandbox.getDefaultInstance());
            String age = Words.since(each.getCreatedAt(), Instant.now());
            if (output.isWide()) {
                table.row(each.getId(), each.getMetadata().getName(), of.getMetadata().getName(),
                        of.getMetadata().getNamespace(), state(each.getState()), age, each.getMetadata().getAttempt(),
                        image(each), Words.shortId(each.getImageRef()), Words.shortId(each.getPodSandboxId()));
            } else {
                table.row(Words.shortId(each.getId()), each.getMetadata().getName(), of.getMetadata().getName(),
                        state(each.getState()), age, each.getMetadata().getAttempt(), image(each));
            }
        }
        return table;
    }

    private static String image(Container container) {
        String asked = container.getImage().getUserSpecifiedImage();
        String used = container.getImage().getImage();
        return !asked.isEmpty() ? asked : used.startsWith("sha256:") ? Words.shortId(used) : used;
    }

    static String state(ContainerState state) {
        return switch (state) {
            case CONTAINER_CREATED -> "Created";
            case CONTAINER_RUNNING -> "Running";
            case CONTAINER_EXITED -> "Exited";
            case CONTAINER_UNKNOWN, UNRECOGNIZED -> "Unknown";
        };
    }
}
