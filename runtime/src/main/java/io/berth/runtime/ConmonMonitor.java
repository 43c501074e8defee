package io.berth.runtime;

import io.berth.base.RuntimeFault;
import io.berth.linux.ChildProcess;
import io.berth.linux.Command;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Processes;
import io.berth.linux.Spawn;
import io.berth.runtime.ContainerRuntime.FirstProcess;
import io.berth.runtime.ContainerRuntime.NewContainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Starts one conmon for a container: it lets the OCI runtime create the container, stays its parent, writes its log and,
 * at its end, its exit file. It lives on when Berth ends. Thread-safe. Source: conmon(8).
 */
public final class ConmonMonitor {

    /** How long a runtime may take to create a container. Tests of runtimes that hang do not wait for so long. */
    private static final Duration CREATE_LIMIT = Duration.ofMillis(Long.getLong("berth.create.limit.millis", 240_000));
    private static final int SYNC_PIPE = 3;
    private static final int MESSAGE_BYTES = 64 * 1024;
    private static final int CTL_REOPEN_LOGS = 2;

    private final Path program;
    private final Path exitDirectory;

    /** @param exitDirectory where exit files named by container id appear; they hold the exit code as text */
    public ConmonMonitor(Path program, Path exitDirectory) {
        this.program = program;
        this.exitDirectory = exitDirectory;
    }

    /** Creates the container; its program does not run before {@link OciRuntime#start}. */
    FirstProcess create(OciRuntime runtime, NewContainer request) {
        return PlatformThreads.await(() -> run("create container " + request.id(), arguments(runtime, request), request));
    }

    /**
     * As {@link #create}, but the container goes on at once where a checkpoint left it.
     *
     * @param images CRIU's
     * @param options further ones of the runtime's verb
     */
    FirstProcess restore(OciRuntime runtime, NewContainer request, Path images, List<String> options) {
        List<String> arguments = arguments(runtime, request);
        arguments.addAll(List.of("--restore", images.toString()));
        options.forEach(option -> arguments.addAll(List.of("--runtime-opt", option)));
        return PlatformThreads.await(() -> run("restore container " + request.id(), arguments, request));
    }

    private FirstProcess run(String action, List<String> arguments, NewContainer request) {
        Path errors = request.bundle().resolve("conmon.err");
        try (Fd.Pipe sync = Fd.pipe(); Fd stderr = Fd.create(errors, 0600)) {
            Spawn spawn = Spawn.of(arguments,
                            // conmon reads its arguments by the locale, and refuses an umlaut in a path without one.
                            Map.of("PATH", Command.searchPath(), "LC_ALL", "C.UTF-8", "_OCI_SYNCPIPE",
                                    Integer.toString(SYNC_PIPE)))
                    .directory(request.bundle()).descriptor(2, stderr).descriptor(SYNC_PIPE, sync.write());
            try (ChildProcess parent = spawn.start()) {
                sync.write().close();
                long deadline = System.nanoTime() + CREATE_LIMIT.toNanos();
                // conmon's first process leaves a second behind, which becomes the monitor.
                parent.await(CREATE_LIMIT);
                if (!sync.read().awaitReadable(Math.max(0, (deadline - System.nanoTime()) / 1_000_000))) {
                    // With it the runtime, which it waits for: nobody else would ever end the two.
                    kill(request.bundle());
                    throw new RuntimeFault(RuntimeFault.Kind.DEADLINE_EXCEEDED, action
                            + ": the runtime has not answered within " + CREATE_LIMIT.toSeconds() + " s");
                }
                return created(action, sync.read().readLine(MESSAGE_BYTES), errors);
            }
        }
    }

    private FirstProcess created(String action, String line, Path errors) {
        if (line.isBlank()) {
            throw new RuntimeFault(RuntimeFault.Kind.INTERNAL,
                    action + ": conmon ended early: " + RuntimeWords.plain(read(errors)));
        }
        try {
            JsonNode answer = JsonMapper.shared().readTree(line);
            int pid = answer.path("data").asInt(-1);
            if (pid <= 0) {
                throw RuntimeWords.fault(action, answer.path("message").asString(""));
            }
            return new FirstProcess(pid, Processes.startTicks(pid).orElse(0));
        } catch (JacksonException e) {
            throw RuntimeFault.during(action + ": read conmon's answer", e);
        }
    }

    private List<String> arguments(OciRuntime runtime, NewContainer request) {
        List<String> arguments = new ArrayList<>(List.of(program.toString(),
                "--api-version", "1",
                "--cid", request.id(),
                "--cuuid", request.id(),
                "--name", request.name(),
                "--runtime", runtime.program().toString(),
                "--bundle", request.bundle().toString(),
                "--persist-dir", request.bundle().toString(),
                "--container-pidfile", request.bundle().resolve("pid").toString(),
                "--conmon-pidfile", request.bundle().resolve("conmon.pid").toString(),
                "--exit-dir", exitDirectory.toString(),
                "--log-path", request.log().map(path -> "k8s-file:" + path).orElse("off:"),
                "--log-level", "error",
                "--no-sync-log",
                "--full-attach"));
        runtime.globalArguments().forEach(argument -> arguments.addAll(List.of("--runtime-arg", argument)));
        if (runtime.handler().systemdCgroup()) {
            arguments.add("--systemd-cgroup");
        }
        if (request.terminal()) {
            arguments.add("--terminal");
        }
        if (request.stdin()) {
            arguments.add("--stdin");
            if (!request.stdinOnce()) {
                arguments.add("--leave-stdin-open");
            }
        }
        return arguments;
    }

    /** Makes the monitor of {@code bundle} open its log anew, for instance after a rotation. */
    void reopenLog(Path bundle) {
        // Writing blocks while nobody reads the FIFO; with the monitor gone nobody would.
        if (!isAlive(bundle)) {
            throw RuntimeFault.precondition("reopen log: the monitor of " + bundle.getFileName() + " has ended");
        }
        control(bundle, CTL_REOPEN_LOGS + " 0 0\n");
    }

    /** Tells the container's terminal its new size. */
    void resize(Path bundle, int rows, int columns) {
        if (isAlive(bundle)) {
            control(bundle, "1 " + rows + " " + columns + "\n");
        }
    }

    private void control(Path bundle, String line) {
        try {
            Files.writeString(bundle.resolve("ctl"), line, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw RuntimeFault.during("reach the monitor of " + bundle.getFileName(), e);
        }
    }

    /** Whether the monitor of {@code bundle} runs. */
    boolean isAlive(Path bundle) {
        OptionalInt pid = number(bundle.resolve("conmon.pid"));
        if (pid.isEmpty()) {
            return false;
        }
        try {
            return Files.readString(Path.of("/proc/" + pid.getAsInt() + "/cmdline"), StandardCharsets.ISO_8859_1)
                    .contains(bundle.toString());
        } catch (IOException gone) {
            return false;
        }
    }

    /** The monitor's process, when it runs. */
    private OptionalInt pid(Path bundle) {
        return isAlive(bundle) ? number(bundle.resolve("conmon.pid")) : OptionalInt.empty();
    }

    /** Ends the monitor of {@code bundle} with the runtime that it runs and all that descends from that. */
    void kill(Path bundle) {
        pid(bundle).ifPresent(Processes::killTree);
    }

    /** The container's first process, as the runtime has told when it had made it; empty when that does not live. */
    Optional<FirstProcess> firstProcess(Path bundle) {
        OptionalInt pid = number(bundle.resolve("pid"));
        return pid.isEmpty() ? Optional.empty() : Processes.startTicks(pid.getAsInt()).stream()
                .mapToObj(ticks -> new FirstProcess(pid.getAsInt(), ticks)).findFirst();
    }

    /** Monitors of {@code runtime}'s containers that belong to this instance and to no known container. */
    List<ContainerRuntime.Leftover> leftovers(OciRuntime runtime, Predicate<String> isContainer) {
        List<ContainerRuntime.Leftover> found = new ArrayList<>();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            List<String> arguments = process.info().arguments().map(List::of).orElse(List.of());
            Optional<String> id = after(arguments, "--cid");
            if (id.isPresent() && isAfter(arguments, "--exit-dir", exitDirectory)
                    && arguments.contains("--root=" + runtime.root()) && !isContainer.test(id.get())) {
                found.add(new ContainerRuntime.Leftover("monitor", process.pid() + " of " + id.get(), "killed", () -> {
                    process.children().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                }));
            }
        }
        return found;
    }

    private static boolean isAfter(List<String> arguments, String option, Path value) {
        return after(arguments, option).filter(value.toString()::equals).isPresent();
    }

    private static Optional<String> after(List<String> arguments, String option) {
        int at = arguments.indexOf(option);
        return at < 0 || at + 1 >= arguments.size() ? Optional.empty() : Optional.of(arguments.get(at + 1));
    }

    private static OptionalInt number(Path file) {
        String text = read(file).strip();
        return text.matches("[0-9]{1,9}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException absent) {
            return "";
        }
    }
}
