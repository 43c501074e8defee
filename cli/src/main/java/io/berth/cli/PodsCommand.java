package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.output.Listing;
import io.berth.cli.output.Table;
import io.berth.cli.output.Words;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.ListPodSandboxResponse;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.PodSandboxStatusResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth pods}: the pods of this node. */
@Command(name = "pods", description = "List pods.", mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth pods", "  berth pods -o wide --namespace kube-system", "  berth pods --watch"})
final class PodsCommand extends DaemonCommand {

    @Mixin
    private OutputOption output;

    @Option(names = {"-q", "--quiet"}, description = "Only ids.")
    private boolean quiet;

    @Option(names = "--ready", description = "Only pods that are ready.")
    private boolean ready;

    @Option(names = {"-n", "--namespace"}, paramLabel = "NAME", description = "Only pods of this namespace.")
    private Optional<String> namespace = Optional.empty();

    @Override
    int run(Connection berth) throws InterruptedException {
        if (quiet) {
            list(berth).getItemsList().forEach(pod -> out().println(pod.getId()));
            return 0;
        }
        return output.show(out(), () -> {
            ListPodSandboxResponse pods = list(berth);
            return Listing.of(pods, () -> output.isWide() ? wide(berth, pods.getItemsList()) : table(pods.getItemsList()));
        });
    }

    private ListPodSandboxResponse list(Connection berth) {
        ListPodSandboxResponse all = berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance());
        return ListPodSandboxResponse.newBuilder().addAllItems(all.getItemsList().stream()
                .filter(pod -> !ready || pod.getState() == PodSandboxState.SANDBOX_READY)
                .filter(pod -> namespace.isEmpty() || namespace.get().equals(pod.getMetadata().getNamespace()))
                .toList()).build();
    }

    private static Table table(List<PodSandbox> pods) {
        Table table = new Table("POD ID", "NAME", "NAMESPACE", "STATE", ">AGE");
        pods.forEach(pod -> table.row(Words.shortId(pod.getId()), pod.getMetadata().getName(),
                pod.getMetadata().getNamespace(), state(pod), Words.since(pod.getCreatedAt(), Instant.now())));
        return table;
    }

    private static Table wide(Connection berth, List<PodSandbox> pods) {
        Table table = new Table("POD ID", "NAME", "NAMESPACE", "STATE", ">AGE", ">ATTEMPT", "ADDRESS", "RUNTIME", "UID");
        for (PodSandbox pod : pods) {
            table.row(pod.getId(), pod.getMetadata().getName(), pod.getMetadata().getNamespace(), state(pod),
                    Words.since(pod.getCreatedAt(), Instant.now()), pod.getMetadata().getAttempt(), address(berth, pod),
                    pod.getRuntimeHandler().isEmpty() ? "(default)" : pod.getRuntimeHandler(), pod.getMetadata().getUid());
        }
        return table;
    }

    private static String address(Connection berth, PodSandbox pod) {
        try {
            PodSandboxStatusResponse status = berth.runtime().podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod.getId()).build());
            String address = status.getStatus().getNetwork().getIp();
            return address.isEmpty() ? "-" : address;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return "(gone)";
            }
            throw e;
        }
    }

    static String state(PodSandbox pod) {
        return pod.getState() == PodSandboxState.SANDBOX_READY ? "Ready" : "NotReady";
    }
}
