package io.berth.cli;

import io.berth.base.RandomId;
import io.berth.cli.client.AwaitExit;
import io.berth.cli.client.Connection;
import io.berth.cli.client.DaemonFault;
import io.berth.cli.client.ExitCode;
import io.berth.cli.client.FindPod;
import io.berth.cli.client.RemoteProcess;
import io.berth.cli.logs.PrintLog;
import io.berth.cli.pull.Pull;
import io.berth.cli.run.Amount;
import io.berth.cli.run.PublishedPort;
import io.berth.cli.run.RunRequest;
import io.berth.cli.run.RunningPod;
import io.berth.cli.run.VolumeMount;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.ImageStatusRequest;
import io.berth.cri.v1.ImageStatusResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth run}: a pod with one container, in one go. */
@Command(name = "run", description = "Run an image: a pod with one container. Shows its output and ends with its exit code; the"
        + " pod is then stopped and stays for \"berth logs\" and \"berth rm\", unless --rm is given. Ctrl-C stops it.",
        mixinStandardHelpOptions = true, footerHeading = "%nExamples:%n", footer = {
            "  berth run --rm docker.io/library/busybox:1.36 uname -a",
            "  berth run -it --rm docker.io/library/alpine sh",
            "  berth run -d --name web -p 8080:80 -v /srv/www:/usr/share/nginx/html:ro docker.io/library/nginx",
            "  berth run --rm --memory 64m --cpus 0.5 -e LEVEL=debug registry.example.com/job:1 --once",
            "  berth run -d --name web-again /var/lib/checkpoints/web.tar"})
final class RunCommand extends DaemonCommand {

    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

    /** When to ask the registry. */
    enum PullPolicy { MISSING, ALWAYS, NEVER }

    @Mixin
    private InteractiveOption interactive;

    @Option(names = "--rm", description = "Remove the pod when it has ended.")
    private boolean remove;

    @Option(names = {"-d", "--detach"}, description = "Print the pod's id and leave it running.")
    private boolean detach;

    @Option(names = "--name", paramLabel = "NAME", description = "Name of the pod, its host name and its container; default:"
            + " the image's name and some digits.")
    private Optional<String> name = Optional.empty();

    @Option(names = {"-p", "--publish"}, paramLabel = "HOST:CONTAINER", description = "Bring a port of the pod to the node:"
            + " [ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp].")
    private List<String> ports = List.of();

    @Option(names = {"-v", "--volume"}, paramLabel = "HOST:CONTAINER", description = "Mount a path of the node:"
            + " HOST:CONTAINER[:ro].")
    private List<String> volumes = List.of();

    @Option(names = {"-e", "--env"}, paramLabel = "NAME[=VALUE]", description = "A variable; without a value that of this"
            + " command's environment.")
    private List<String> environment = List.of();

    @Option(names = {"-m", "--memory"}, paramLabel = "AMOUNT", description = "Limit of memory, such as 64m or 1g.")
    private Optional<String> memory = Optional.empty();

    @Option(names = "--cpus", paramLabel = "NUMBER", description = "Limit of CPU time, such as 0.5.")
    private Optional<Double> cpus = Optional.empty();

    @Option(names = {"-u", "--user"}, paramLabel = "USER[:GROUP]", description = "A name or a number; the group a number.")
    private Optional<String> user = Optional.empty();

    @Option(names = "--workdir", paramLabel = "DIR", description = "Directory in the container to start in.")
    private Optional<String> directory = Optional.empty();

    @Option(names = "--entrypoint", paramLabel = "PROGRAM", description = "Instead of the image's own.")
    private Optional<String> entrypoint = Optional.empty();

    @Option(names = "--read-only", description = "Nothing can be written to the container's own files.")
    private boolean readOnly;

    @Option(names = "--privileged", description = "All capabilities and devices: as good as root on the node.")
    private boolean privileged;

    @Option(names = "--host-network", description = "Use the node's own network.")
    private boolean hostNetwork;

    @Option(names = "--runtime", paramLabel = "HANDLER", defaultValue = "", description = "The runtime handler.")
    private String runtime;

    @Option(names = "--pull", paramLabel = "WHEN", defaultValue = "missing",
            description = "missing, always or never; default: ${DEFAULT-VALUE}.")
    private PullPolicy pull;

    @Option(names = "--logs", paramLabel = "DIR", defaultValue = "/var/log/berth/pods",
            description = "Below which directory the log is kept; default: ${DEFAULT-VALUE}.")
    private Path logs;

    @Parameters(index = "0", paramLabel = "IMAGE", description = "A name or an id, or a path that begins with / or ./: the"
            + " archive of a checkpoint to go on from.")
    private String image;

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "ARGUMENT", description = "Instead of the image's arguments.")
    private List<String> arguments = List.of();

    @Override
    int run(Connection berth) throws InterruptedException {
        if (detach && (remove || interactive.stdin())) {
            throw new DaemonFault(ExitCode.USAGE, "run: --detach goes neither with --rm nor with -i: nobody would be there");
        }
        interactive.check();
        RunRequest request = request();
        if (FindPod.find(berth, request.name()).filter(pod -> pod.getMetadata().getName().equals(request.name())).isPresent()) {
            throw new DaemonFault(ExitCode.FAILED, "run " + request.name() + ": there is a pod of this name: choose another with"
                    + " --name, or remove it: berth rm -f " + request.name());
        }
        RunningPod pod = RunningPod.create(berth, request, runtime, image(berth), image);
        if (detach) {
            pod.start();
            out().println(pod.podId());
            return 0;
        }
        pod.endWithThisProcess(remove);
        Optional<Integer> code = interactive.stdin() ? attached(berth, pod) : logged(berth, pod);
        if (code.isEmpty()) {
            pod.leave();
            out().println(pod.podId());
            return 0;
        }
        pod.end(remove);
        return code.get();
    }

    private RunRequest request() {
        String chosen = name.orElseGet(() -> defaultName(image));
        if (!NAME.matcher(chosen).matches()) {
            throw new DaemonFault(ExitCode.USAGE, "use name \"" + chosen
                    + "\": small letters, digits and - are possible, at most 63, as in a host name");
        }
        if (cpus.isPresent() && !(cpus.get() >= 0.01 && cpus.get() <= 4096)) {
            throw new DaemonFault(ExitCode.USAGE, "use --cpus " + cpus.get() + ": a number from 0.01 is needed");
        }
        String uid = UUID.randomUUID().toString();
        return new RunRequest(chosen, uid, logs.toAbsolutePath().resolve(chosen + "-" + uid), entrypoint, arguments,
                environment.stream().map(RunCommand::variable).toList(), ports.stream().map(PublishedPort::parse).toList(),
                volumes.stream().map(VolumeMount::parse).toList(),
                new RunRequest.Limits(memory.map(Amount::bytes), cpus),
                new RunRequest.Options(interactive.tty(), interactive.stdin(), privileged, hostNetwork, readOnly, user,
                        directory));
    }

    /** The image's last name and some digits, as a host name can be. */
    static String defaultName(String image) {
        String last = image.replaceFirst("@.*", "").replaceFirst("^.*/", "").replaceFirst(":.*|\\.tar$", "").toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
        return (last.isEmpty() ? "run" : last.substring(0, Math.min(last.length(), 40))) + "-" + RandomId.hex(3);
    }

    private static String variable(String words) {
        int equals = words.indexOf('=');
        if (equals == 0 || words.isEmpty()) {
            throw new DaemonFault(ExitCode.USAGE, "use variable \"" + words + "\": NAME=VALUE is needed");
        }
        return equals > 0 ? words : words + "=" + Optional.ofNullable(System.getenv(words)).orElse("");
    }

    private String image(Connection berth) {
        if (image.startsWith("/") || image.startsWith("./")) {
            return Path.of(image).toAbsolutePath().normalize().toString();
        }
        Optional<String> here = pull == PullPolicy.ALWAYS ? Optional.empty() : present(berth);
        if (here.isPresent()) {
            return here.get();
        }
        if (pull == PullPolicy.NEVER) {
            throw new DaemonFault(ExitCode.NOT_FOUND, "run " + image + ": the image is not here, and --pull never was given");
        }
        new Pull(berth, err()).image(image, Optional.empty(), runtime);
        return present(berth).orElseThrow(() -> new DaemonFault(ExitCode.FAILED, "run " + image
                + ": the image was pulled, but is not there: something removes images"));
    }

    private Optional<String> present(Connection berth) {
        ImageStatusResponse status = berth.images().imageStatus(ImageStatusRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image)).build());
        return status.hasImage() ? Optional.of(status.getImage().getId()) : Optional.empty();
    }

    /** With this command's input; the exit code, or empty when the person has left. */
    private Optional<Integer> attached(Connection berth, RunningPod pod) throws InterruptedException {
        Optional<RemoteProcess> early = attachBeforeStart(berth, pod.containerId());
        pod.start();
        try (RemoteProcess process = early.orElseGet(() -> RemoteProcess.connect(
                AttachCommand.url(berth, pod.containerId(), true, interactive.tty())))) {
            return switch (process.run(interactive.streams(), interactive.terminal())) {
                case RemoteProcess.End.Detached() -> Optional.empty();
                case RemoteProcess.End.Exited(int ignored) -> Optional.of(AwaitExit.code(berth, pod.containerId()));
            };
        }
    }

    // Berth lets one attach to what is not started yet, so that nothing of its first words is lost; others refuse.
    private Optional<RemoteProcess> attachBeforeStart(Connection berth, String container) {
        try {
            String url = AttachCommand.url(berth, container, true, interactive.tty());
            RemoteProcess process = RemoteProcess.connect(url);
            return Optional.of(berth.version().getRuntimeName().equals("berth") ? process.awaitJoined() : process);
        } catch (StatusRuntimeException refused) {
            if (refused.getStatus().getCode() == Status.Code.UNAVAILABLE) {
                throw refused;
            }
            return Optional.empty();
        }
    }

    /** Without input: what the log has is what the container wrote, from the first byte on. */
    private static Optional<Integer> logged(Connection berth, RunningPod pod) throws InterruptedException {
        pod.start();
        ContainerStatusRequest request = ContainerStatusRequest.newBuilder().setContainerId(pod.containerId()).build();
        new PrintLog(Optional.empty(), -1, false, ByteStreams.stdout(), ByteStreams.stderr()).print(pod.log(),
                () -> berth.runtime().containerStatus(request).getStatus().getState() != ContainerState.CONTAINER_EXITED);
        return Optional.of(AwaitExit.code(berth, pod.containerId()));
    }
}
