package io.berth.runtime;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Processes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/** The two files that an OCI runtime's {@code exec} is given, and how to end what it started; removed by {@link #close}. */
final class OciExec implements AutoCloseable {

    private static final String INNER = ".inner";

    private final OciRuntime runtime;
    private final ContainerRuntime.NewProcess process;
    private final Path specification;
    private final Path pidFile;
    /** Of gVisor: the number that the process has behind its kernel; that in the other file is runsc's own. */
    private final Path innerPidFile;

    OciExec(OciRuntime runtime, Path bundle, ContainerRuntime.NewProcess process) {
        this.runtime = runtime;
        this.process = process;
        String name = "exec-" + RandomId.hex(8);
        this.specification = bundle.resolve(name + ".json");
        this.pidFile = bundle.resolve(name + ".pid");
        this.innerPidFile = bundle.resolve(name + INNER);
        try {
            write(JsonMapper.shared().writeValueAsBytes(process.process()));
        } catch (IOException e) {
            close();
            throw RuntimeFault.during("prepare a process in container " + process.containerId(), e);
        }
    }

    // The environment of a container holds secrets.
    private void write(byte[] content) throws IOException {
        try (var out = Files.newByteChannel(specification, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer left = ByteBuffer.wrap(content);
            while (left.hasRemaining()) {
                out.write(left);
            }
        }
    }

    /** The runtime's command line, to which the process's own input and output belong. */
    List<String> commandLine() {
        List<String> verb = new ArrayList<>(List.of("exec", "--process", specification.toString(),
                "--pid-file", pidFile.toString()));
        if (runtime.isGvisor()) {
            verb.addAll(List.of("--internal-pid-file", innerPidFile.toString()));
        }
        verb.add(process.containerId());
        return runtime.commandLine(verb);
    }

    /**
     * Whether the process uses the runtime's own terminal, so that the signals of its keys come to the runtime, which passes
     * them on. Others make a second one in the container.
     */
    boolean usesTerminalItself() {
        return runtime.isGvisor();
    }

    /**
     * Kills the process and what it started: the runtime's own end would not end them, and not every runtime makes the
     * process leader of a group.
     *
     * @return false when it has not been started
     */
    boolean kill() {
        OptionalInt pid = pid(pidFile);
        if (runtime.isGvisor()) {
            // With them runsc ends, which waits for the first.
            pid(innerPidFile).ifPresent(inner -> new GvisorProcesses(runtime).killTree(process.containerId(), inner));
        } else {
            pid.ifPresent(Processes::killTree);
        }
        return pid.isPresent();
    }

    /**
     * Kills what commands have left behind gVisor's kernel whose Berth has died.
     *
     * @param bundle of the container
     */
    static void endLost(OciRuntime runtime, String containerId, Path bundle) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(bundle, "exec-*" + INNER)) {
            for (Path file : files) {
                pid(file).ifPresent(inner -> new GvisorProcesses(runtime).killTree(containerId, inner));
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("end lost commands in container " + containerId + ": " + RuntimeFault.reason(e), e);
        }
    }

    private static OptionalInt pid(Path file) {
        try {
            String text = Files.readString(file).strip();
            return text.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
        } catch (IOException notStarted) {
            return OptionalInt.empty();
        }
    }

    /** Tells a program that never ran from one that failed: only a started one has a pid file. */
    void refuseFailedStart(int exitCode, String printed) {
        if (exitCode != 0 && pid(pidFile).isEmpty()) {
            throw process.failure(printed);
        }
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(specification);
            Files.deleteIfExists(pidFile);
            Files.deleteIfExists(innerPidFile);
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + specification + ": " + RuntimeFault.reason(e), e);
        }
    }
}
