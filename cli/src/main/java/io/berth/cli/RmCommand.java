package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.EndPod;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.FindPod;
import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.PodSandboxState;
import io.berth.cri.v1.RemoveContainerRequest;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth rm}: removes pods or containers. */
@Command(name = "rm", description = "Remove stopped pods with all their containers, or single containers.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth rm web", "  berth rm -f web", "  berth rm --stopped"})
final class RmCommand extends DaemonCommand {

    @Option(names = {"-f", "--force"}, description = "Stop first what runs.")
    private boolean force;

    @Option(names = "--stopped", description = "Remove every pod that is stopped and that berth run has made.")
    private boolean stopped;

    @Parameters(paramLabel = "NAME", arity = "0..*", description = "A pod or a container; a pod wins where a name fits both.")
    private List<String> names = List.of();

    @Override
    int run(Connection berth) {
        if (names.isEmpty() && !stopped) {
            throw new DaemonFault(ExitCode.USAGE, "remove: say which pods or containers, or --stopped");
        }
        if (stopped) {
            berth.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().stream()
                    .filter(pod -> pod.getState() != PodSandboxState.SANDBOX_READY
                            && pod.containsAnnotations(EndPod.LOG_DIRECTORY)).forEach(pod -> remove(berth, pod));
        }
        for (String name : names) {
            Optional<PodSandbox> pod = FindPod.find(berth, name);
            pod.ifPresentOrElse(found -> remove(berth, found), () -> remove(berth, FindContainer.named(berth, name)));
        }
        return 0;
    }

    private void remove(Connection berth, PodSandbox pod) {
        if (pod.getState() == PodSandboxState.SANDBOX_READY) {
            if (!force) {
                throw running("pod " + pod.getMetadata().getName());
            }
            EndPod.stop(berth, pod.getId(), 10);
        }
        EndPod.remove(berth, pod.getId());
        out().println(pod.getId());
    }

    private void remove(Connection berth, Container container) {
        if (container.getState() == ContainerState.CONTAINER_RUNNING && !force) {
            throw running("container " + container.getMetadata().getName());
        }
        berth.runtime().removeContainer(RemoveContainerRequest.newBuilder().setContainerId(container.getId()).build());
        out().println(container.getId());
    }

    private static DaemonFault running(String what) {
        return new DaemonFault(ExitCode.FAILED, "remove " + what + ": it runs: stop it first, or use --force");
    }
}
