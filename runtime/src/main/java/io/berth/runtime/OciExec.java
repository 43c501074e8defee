package io.berth.runtime;

import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Processes;
import java.io.IOException;
import java.nio.ByteBuffer;
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

    private final OciRuntime runtime;
    private final ContainerRuntime.NewProcess process;
    private final Path specification;
    private final Path pidFile;

    OciExec(OciRuntime runtime, Path bundle, ContainerRuntime.NewProcess process) {
        this.runtime = runtime;
        this.process = process;
        String name = "exec-" + RandomId.hex(8);
        this.specification = bundle.resolve(name + ".json");
        this.pidFile = bundle.resolve(name + ".pid");
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
        return runtime.commandLine(new ArrayList<>(List.of("exec", "--process", specification.toString(),
                "--pid-file", pidFile.toString(), process.containerId())));
    }

    /**
     * Kills the process and what it started: the runtime's own end would not end them, and not every runtime makes the
     * process leader of a group.
     *
     * @return false when it has not been started
     */
    boolean kill() {
        OptionalInt pid = pid();
        pid.ifPresent(Processes::killTree);
        return pid.isPresent();
    }

    private OptionalInt pid() {
        try {
            String text = Files.readString(pidFile).strip();
            return text.matches("[1-9][0-9]{0,8}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
        } catch (IOException notStarted) {
            return OptionalInt.empty();
        }
    }

    /** Tells a program that never ran from one that failed: only a started one has a pid file. */
    void refuseFailedStart(int exitCode, String printed) {
        if (exitCode != 0 && pid().isEmpty()) {
            throw process.failure(printed);
        }
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(specification);
            Files.deleteIfExists(pidFile);
        } catch (IOException e) {
            throw RuntimeFault.internal("remove " + specification + ": " + RuntimeFault.reason(e), e);
        }
    }
}
