package io.berth.cli;

import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindContainer;
import io.berth.cli.client.FindPod;
import io.berth.cli.client.PodContainers;
import io.berth.cli.logs.PrintLog;
import io.berth.cri.v1.Container;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatus;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.PodSandbox;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth logs}: what a container has written. */
@Command(name = "logs", description = "Show what a container has written to stdout and stderr.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {"  berth logs web",
            "  berth logs -f --tail 20 web", "  berth logs --since 10m -t default-pod/web",
            "  berth logs --since 2026-11-24T00:00:00Z web"})
final class LogsCommand extends DaemonCommand {

    @Option(names = {"-f", "--follow"}, description = "Go on until the container ends.")
    private boolean follow;

    @Option(names = "--since", paramLabel = "TIME", description = "Only what is newer: a time ago such as 30s, 10m or 2h, or"
            + " a moment such as 2026-11-24T00:00:00Z.")
    private Optional<String> since = Optional.empty();

    @Option(names = {"-n", "--tail"}, paramLabel = "LINES", defaultValue = "-1", description = "Only the last lines.")
    private long tail;

    @Option(names = {"-t", "--timestamps"}, description = "With the time of each line.")
    private boolean timestamps;

    @Parameters(paramLabel = "CONTAINER", description = "A container, or a pod with one container.")
    private String name;

    @Override
    int run(Connection berth) throws InterruptedException {
        String id = find(berth, name);
        ContainerStatus status = status(berth, id);
        if (status.getLogPath().isEmpty()) {
            throw new DaemonFault(ExitCode.FAILED, "read the log of " + name + ": it was made without one");
        }
        PrintLog printing = new PrintLog(since.map(words -> moment(words, Instant.now())), tail, timestamps,
                ByteStreams.stdout(), ByteStreams.stderr());
        printing.print(Path.of(status.getLogPath()), () -> follow && isLive(status(berth, id)));
        return 0;
    }

    private static String find(Connection berth, String name) {
        try {
            return FindContainer.named(berth, name).getId();
        } catch (DaemonFault notAContainer) {
            Optional<PodSandbox> pod = FindPod.find(berth, name);
            List<Container> of = pod.map(found -> PodContainers.all(berth, found.getId())).orElse(List.of());
            if (of.size() == 1) {
                return of.getFirst().getId();
            }
            if (of.size() > 1) {
                throw new DaemonFault(ExitCode.NOT_FOUND, "read the log of pod " + name + ": say which container: "
                        + String.join(", ", of.stream().map(each -> name + "/" + each.getMetadata().getName()).toList()));
            }
            throw notAContainer;
        }
    }

    private static ContainerStatus status(Connection berth, String id) {
        return berth.runtime().containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build()).getStatus();
    }

    private static boolean isLive(ContainerStatus status) {
        return status.getState() == ContainerState.CONTAINER_RUNNING || status.getState() == ContainerState.CONTAINER_CREATED;
    }

    /** The moment that a person means by {@code words}. */
    static Instant moment(String words, Instant now) {
        try {
            return Character.isDigit(words.charAt(words.length() - 1)) || words.contains("-")
                    ? OffsetDateTime.parse(words).toInstant()
                    : now.minus(Duration.parse(words.endsWith("d") ? "P" + words.toUpperCase(Locale.ROOT)
                            : "PT" + words.toUpperCase(Locale.ROOT)));
        } catch (DateTimeException | IndexOutOfBoundsException e) {
            throw new DaemonFault(ExitCode.USAGE, "use --since " + words
                    + ": a time ago such as 30s, 10m, 2h or 3d, or a moment such as 2026-11-24T00:00:00Z is needed");
        }
    }
}
