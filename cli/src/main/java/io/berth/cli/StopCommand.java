package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.EndPod;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.FindPod;
import io.berth.cri.v1.PodSandbox;
import io.berth.cri.v1.StopContainerRequest;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth stop}: stops pods with all their containers, or single containers. */
@Command(name = "stop", description = "Stop pods with all their containers, or single containers.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n",
        footer = {"  berth stop web", "  berth stop --time 30 3f2a1c0b9d8e"})
final class StopCommand extends DaemonCommand {

    @Option(names = {"-t", "--time"}, paramLabel = "SECONDS", defaultValue = "10",
            description = "How long a container may take after its stop signal before it is killed; default: ${DEFAULT-VALUE}.")
    private long seconds;

    @Parameters(paramLabel = "NAME", arity = "1..*", description = "A pod or a container; a pod wins where a name fits both.")
    private List<String> names;

    @Override
    int run(Connection berth) {
        for (String name : names) {
            Optional<PodSandbox> pod = FindPod.find(berth, name);
            if (pod.isPresent()) {
                EndPod.stop(berth, pod.get().getId(), seconds);
            } else {
                berth.runtime().stopContainer(StopContainerRequest.newBuilder().setTimeout(seconds)
                        .setContainerId(FindContainer.named(berth, name).getId()).build());
            }
            out().println(name);
        }
        return 0;
    }
}
