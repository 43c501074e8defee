package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.Command;
import io.berth.linux.SealedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One OCI runtime and the containers that it keeps for this instance of Berth, by its command line. Creation goes through
 * {@link ConmonMonitor}, which becomes the container's parent. Thread-safe; every call is bounded in time.
 */
public final class OciRuntime {

    /** How long a call may take. Tests of runtimes that hang do not wait for so long. */
    private static final Duration LIMIT = Duration.ofMillis(Long.getLong("berth.runtime.limit.millis", 60_000));

    private static final String GVISOR = "runsc version ";
    private static final Pattern CRUN_VERSION = Pattern.compile("^crun version ([0-9]{1,4})\\.([0-9]{1,4})");

    private final RuntimeHandler handler;
    private final RuntimeRoot root;
    private final Optional<StartFifo> startFifo;
    private final Optional<SealedProgram> sealed;
    private volatile String knownVersion = "";
    private volatile Optional<JsonNode> knownFeatures = Optional.empty();

    /** @param root where the runtime keeps its own state; not shared with another instance */
    public OciRuntime(RuntimeHandler handler, Path root) {
        this.handler = handler;
        this.root = new RuntimeRoot(root);
        this.startFifo = StartFifo.of(handler.path());
        // runc protects itself by a mount, which costs it next to nothing.
        this.sealed = startFifo.filter(CrunFifo.class::isInstance).map(crun -> new SealedProgram(handler.path()));
    }

    public RuntimeHandler handler() {
        return handler;
    }

    /** What to run as the runtime: its program, or a copy of it. */
    Path program() {
        return sealed.map(SealedProgram::path).orElse(handler.path());
    }

    /** Where it keeps its state: no other runtime or instance has the same. */
    Path root() {
        return root.path();
    }

    /**
     * Whether it is gVisor's runsc. Each container then has a kernel of its own, in a process of the node; what runs in the
     * container are no processes of the node.
     */
    boolean isGvisor() {
        return startFifo.isEmpty() && knownVersion().startsWith(GVISOR);
    }

    /** The arguments before the verb. */
    List<String> globalArguments() {
        List<String> arguments = ownArguments();
        // A network stack of its own would take the pod's addresses for itself: another container, also the next attempt of
        // this one, would find none.
        if (isGvisor() && arguments.stream().noneMatch(argument -> argument.matches("--?network(=.*)?"))) {
            arguments.add("--network=host");
        }
        return arguments;
    }

    private List<String> ownArguments() {
        List<String> arguments = new ArrayList<>();
        arguments.add("--root=" + root.path());
        if (handler.systemdCgroup()) {
            arguments.add("--systemd-cgroup");
        }
        arguments.addAll(handler.arguments());
        return arguments;
    }

    /**
     * Runs the container's own program.
     *
     * @param pid its first process
     */
    public void start(String id, int pid) {
        if (!startFifo.map(fifo -> fifo.open(id, root.of(id), pid, LIMIT)).orElse(false)) {
            run("start container " + id, List.of("start", id));
        }
    }

    /** Sends {@code signal} to the container's first process; false when it has ended. */
    public boolean kill(String id, int signal) {
        Command.Output output = call(List.of("kill", id, Integer.toString(signal)));
        if (output.exitCode() == 0) {
            return true;
        }
        String words = reason(output);
        if (words.contains("not running") || words.contains("process already finished") || isUnknown(words)
                || words.contains("no such process")) {
            return false;
        }
        throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "signal container " + id + ": " + words);
    }

    /** Removes what the runtime keeps of a container, killing it when {@code force}; fine when it is unknown. */
    public void delete(String id, boolean force) {
        root.releaseRestore(id);
        List<String> verb = force ? List.of("delete", "--force", id) : List.of("delete", id);
        Command.Output output = call(verb);
        if (output.exitCode() != 0 && !isUnknown(reason(output))) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "delete container " + id + ": " + reason(output));
        }
    }

    /**
     * Removes what the runtime keeps of a container that has ended. The caller ends what is left in its cgroup and removes
     * that itself.
     *
     * <p>What runc and crun keep is a directory in their root, which belongs to this instance alone. It is removed without
     * running them, which would take as long as a start does, unless there is more for them to do: hooks after the end,
     * cache or bandwidth groups, a unit of systemd. Any other runtime is asked.
     *
     * @param specification the container's {@code config.json}
     */
    public void deleteEnded(String id, Path specification) {
        root.releaseRestore(id);
        if (handler.systemdCgroup() || !keepsOnlyADirectory() || hasMoreToDo(specification) || !root.remove(id)) {
            delete(id, true);
        }
    }

    private boolean keepsOnlyADirectory() {
        return isRunc() || knownVersion().startsWith("crun version ");
    }

    /** Whether it is runc, by its own word. */
    boolean isRunc() {
        return knownVersion().startsWith("runc version ");
    }

    private String knownVersion() {
        String known = knownVersion;
        if (known.isEmpty()) {
            known = version();
            knownVersion = known;
        }
        return known;
    }

    // A false alarm, such as an environment variable of that name, costs a few milliseconds.
    private static boolean hasMoreToDo(Path specification) {
        try {
            String text = Files.readString(specification, StandardCharsets.ISO_8859_1);
            return text.contains("\"poststop\"") || text.contains("\"intelRdt\"");
        } catch (IOException unreadable) {
            return true;
        }
    }

    /** What the runtime keeps of containers that are not known. */
    public List<ContainerRuntime.Leftover> leftovers(Predicate<String> isKnown) {
        return root.containers().stream().filter(id -> !isKnown.test(id))
                .map(id -> new ContainerRuntime.Leftover("runtime state", id, "removed", () -> delete(id, true))).toList();
    }

    /** The state that the runtime tells ({@code created}, {@code running}, {@code stopped}), or empty when unknown. */
    public Optional<String> status(String id) {
        Command.Output output = call(List.of("state", id));
        if (output.exitCode() != 0) {
            return Optional.empty();
        }
        try {
            JsonNode state = JsonMapper.shared().readTree(output.stdout());
            String told = state.path("status").asString();
            // It is told from the FIFO, which a daemon that was killed just then did not come to remove.
            boolean begun = told.equals("created")
                    && startFifo.map(fifo -> !fifo.isWaiting(state.path("pid").asInt(0))).orElse(false);
            return Optional.of(begun ? "running" : told);
        } catch (JacksonException e) {
            throw RuntimeFault.during("read the state of container " + id, e);
        }
    }

    /** As {@link ContainerRuntime#hasBegun}; runc and crun themselves are not run for it. */
    public boolean hasBegun(String id, int pid) {
        return startFifo.map(fifo -> !fifo.isWaiting(pid))
                .orElseGet(() -> status(id).filter("running"::equals).isPresent());
    }

    /** Sets new limits from a file with the {@code linux.resources} object. */
    public void update(String id, Path resources) {
        Command.Output output = call(List.of("update", "--resources", resources.toString(), id));
        if (output.exitCode() != 0 && isGvisor() && printed(output).startsWith("Usage: ")) {
            throw RuntimeFault.unsupported("update container " + id + ": this version of gVisor cannot change limits");
        }
        if (output.exitCode() != 0) {
            throw RuntimeWords.fault("update container " + id, printed(output));
        }
    }

    /** Freezes all processes of the container. */
    public void pause(String id) {
        run("pause container " + id, List.of("pause", id));
    }

    /** Thaws them. */
    public void resume(String id) {
        run("resume container " + id, List.of("resume", id));
    }

    /**
     * Has CRIU write the container's processes and memory into {@code images}, and its log {@code dump.log} into
     * {@code work}; the container runs on. Locks of files are written too: they are the container's own.
     */
    public void checkpoint(String id, Path images, Path work, Duration limit) {
        if (isGvisor()) {
            throw RuntimeFault.unsupported("checkpoint container " + id + ": not offered for containers under gVisor");
        }
        Command.Output output = call(List.of("checkpoint", "--leave-running", "--file-locks", "--image-path", images.toString(),
                "--work-path", work.toString(), id), limit);
        if (output.exitCode() != 0) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL, "checkpoint container " + id + ": " + reason(output)
                    + CriuLog.errors(work.resolve("dump.log")));
        }
    }

    /** Sends {@code signal} to a process that has the number {@code pid} behind gVisor's kernel; false when it has ended. */
    boolean killInside(String id, int pid, int signal) {
        return call(List.of("kill", "--pid", Integer.toString(pid), id, Integer.toString(signal))).exitCode() == 0;
    }

    /** What {@code ps} prints of the processes behind gVisor's kernel; empty when that has ended. */
    String processesInside(String id) {
        Command.Output output = call(List.of("ps", id));
        return output.exitCode() == 0 ? output.stdoutText() : "";
    }

    /** Whether it was built to restore containers; CRIU itself is not looked for. */
    public boolean knowsRestore() {
        return !isGvisor() && call(List.of("restore", "--help")).exitCode() == 0;
    }

    /** The first line of the runtime's version, such as {@code runc version 1.1.5}. */
    public String version() {
        List<String> line = new ArrayList<>(List.of(program().toString()));
        line.addAll(ownArguments());
        line.add("--version");
        Command.Output output = command(line, LIMIT).run();
        if (output.exitCode() != 0) {
            throw RuntimeWords.fault("ask for the version", printed(output));
        }
        return output.stdoutText().lines().findFirst().orElse("unknown").strip();
    }

    /**
     * What {@code features} printed when it was last asked; an empty object where the runtime's version has no such verb.
     * Asked once: the first call takes as long as the runtime needs.
     */
    public JsonNode features() {
        Optional<JsonNode> known = knownFeatures;
        if (known.isEmpty()) {
            known = Optional.of(askFeatures());
            knownFeatures = known;
        }
        return known.get();
    }

    private JsonNode askFeatures() {
        Command.Output output = call(List.of("features"));
        try {
            return output.exitCode() == 0 ? JsonMapper.shared().readTree(output.stdout())
                    : JsonMapper.shared().createObjectNode();
        } catch (JacksonException notJson) {
            return JsonMapper.shared().createObjectNode();
        }
    }

    /**
     * Whether the runtime knows a capability. gVisor's kernel ends at one that it does not know; versions that do not tell
     * which they know, know those that Linux had before 5.8.
     */
    public boolean knowsCapability(String name) {
        if (!isGvisor()) {
            return true;
        }
        JsonNode known = features().path("linux").path("capabilities");
        return known.isArray() ? known.valueStream().anyMatch(each -> each.asString("").equals(name))
                : !Capabilities.SINCE_5_8.contains(name);
    }

    /** Whether the runtime knows a mount option: by its own word, or where it has no verb for that, by its version. */
    public boolean supportsMountOption(String option) {
        return features().path("mountOptions").valueStream().anyMatch(each -> each.asString().equals(option))
                || features().isEmpty() && option.equals("rro") && isCrunSince(1, 4);
    }

    // crun has told its features since 1.8.6 only, but has known rro since 1.4.
    private boolean isCrunSince(int major, int minor) {
        Matcher version = CRUN_VERSION.matcher(version());
        return version.find() && (Integer.parseInt(version.group(1)) > major
                || Integer.parseInt(version.group(1)) == major && Integer.parseInt(version.group(2)) >= minor);
    }

    /** The whole command line for {@code verb}. */
    public List<String> commandLine(List<String> verb) {
        List<String> line = new ArrayList<>();
        line.add(program().toString());
        line.addAll(globalArguments());
        line.addAll(verb);
        return line;
    }

    private Command.Output run(String action, List<String> verb) {
        Command.Output output = call(verb);
        if (output.exitCode() != 0) {
            String words = printed(output);
            throw RuntimeWords.fault(action, words.isBlank() ? "the runtime gave no reason, and ended with " + output.exitCode()
                    : words);
        }
        return output;
    }

    private Command.Output call(List<String> verb) {
        return call(verb, LIMIT);
    }

    private Command.Output call(List<String> verb, Duration limit) {
        return command(commandLine(verb), limit).run();
    }

    private static Command command(List<String> line, Duration limit) {
        return new Command(line, Map.of("PATH", Command.searchPath()), Path.of("/"), limit, 1 << 20);
    }

    private static boolean isUnknown(String words) {
        return words.contains("does not exist") || words.contains("No such file or directory")
                || words.contains("no such file or directory") || words.contains("container not found");
    }

    private static String printed(Command.Output output) {
        return output.stderrText().isBlank() ? output.stdoutText() : output.stderrText();
    }

    private static String reason(Command.Output output) {
        return RuntimeWords.plain(printed(output));
    }
}
