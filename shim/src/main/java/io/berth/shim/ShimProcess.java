package io.berth.shim;

import com.google.protobuf.ByteString;
import io.berth.base.RandomId;
import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Fifo;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import io.berth.runtime.ContainerRuntime.NewProcess;
import io.berth.runtime.RunningProcess;
import io.berth.shim.v2.CloseIORequest;
import io.berth.shim.v2.DeleteResponse;
import io.berth.shim.v2.ExecProcessRequest;
import io.berth.shim.v2.KillRequest;
import io.berth.shim.v2.ProcessRequest;
import io.berth.shim.v2.ResizePtyRequest;
import io.berth.shim.v2.StartResponse;
import io.berth.shim.v2.WaitResponse;
import io.berth.ttrpc.CallFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/** A further process in a container behind a shim, with named pipes in the container's bundle for its input and output. */
final class ShimProcess implements RunningProcess {

    private static final Logger LOG = LoggerFactory.getLogger(ShimProcess.class);
    /** Names of its pipes begin with this and its id: what a killed Berth has left is found by them. */
    static final String PREFIX = "process-";
    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);

    private final ShimContainer container;
    private final String execId;
    private final boolean terminal;
    private final Fd output;
    private final Optional<Fd> errors;
    private final Optional<ShimInput> input;
    private volatile int pid;
    private volatile boolean added;
    private volatile boolean ended;

    private ShimProcess(ShimContainer container, NewProcess process) {
        this.container = container;
        this.execId = RandomId.hex(8);
        this.terminal = process.process().path("terminal").asBoolean(false);
        this.output = reader("stdout");
        this.errors = terminal ? Optional.empty() : Optional.of(reader("stderr"));
        this.input = process.stdin() ? Optional.of(ShimInput.make(pipe("stdin"))) : Optional.empty();
    }

    /** Starts it. */
    static ShimProcess start(ShimContainer container, NewProcess process) {
        ShimProcess started = new ShimProcess(container, process);
        try {
            started.run(process);
            return started;
        } catch (RuntimeFault failure) {
            started.abandon(failure);
            throw ShimContainer.told("run " + process.process().path("args").path(0).asString("") + " in container "
                    + container.id(), failure);
        }
    }

    private void run(NewProcess process) {
        ExecProcessRequest.Builder request = ExecProcessRequest.newBuilder().setId(container.id()).setExecId(execId)
                .setTerminal(terminal).setStdout(pipe("stdout").toString())
                .setSpec(ShimHandler.any("types.containerd.io/opencontainers/runtime-spec/1/Process",
                        ByteString.copyFrom(JsonMapper.shared().writeValueAsBytes(process.process()))));
        if (errors.isPresent()) {
            request.setStderr(pipe("stderr").toString());
        }
        if (input.isPresent()) {
            request.setStdin(pipe("stdin").toString());
        }
        calls().call("Exec", request.build());
        added = true;
        pid = calls().call("Start", own(), StartResponse.parser()).getPid();
        input.ifPresent(ShimInput::started);
    }

    // Without an answer it may run all the same, now or a moment later. An interrupted thread could not even say so.
    private void abandon(RuntimeFault failure) {
        boolean interrupted = Thread.interrupted();
        if (added && (failure.kind() == RuntimeFault.Kind.CANCELLED || ShimConnection.isSilence(failure))) {
            quietly(container, () -> kill(calls(), container.id(), execId));
            awaitKilled(container, execId);
        }
        close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Path pipe(String name) {
        return container.shim().site().bundle(container.id()).resolve(PREFIX + execId + "-" + name);
    }

    private Fd reader(String name) {
        Fifo.make(pipe(name));
        return Fifo.openReader(pipe(name));
    }

    private ShimConnection calls() {
        return container.shim().calls();
    }

    private ProcessRequest own() {
        return process(container, execId);
    }

    @Override
    public Fd output() {
        return output;
    }

    @Override
    public Optional<Fd> errors() {
        return errors;
    }

    @Override
    public void write(byte[] bytes, int count) {
        input.ifPresent(pipe -> pipe.write(bytes, 0, count));
    }

    @Override
    public void endInput() {
        if (terminal) {
            try {
                // A terminal stays open when the client ends its input.
                write(new byte[] {4}, 1);
            } catch (RuntimeException ended) {
                // The process has ended before its input did.
            }
            return;
        }
        input.ifPresent(ShimInput::close);
        try {
            calls().call("CloseIO", CloseIORequest.newBuilder().setId(container.id()).setExecId(execId).setStdin(true)
                    .build());
        } catch (RuntimeFault failure) {
            LOG.atDebug().addKeyValue("container", container.id()).addKeyValue("reason", failure.getMessage())
                    .log("input of a process not ended");
        }
    }

    @Override
    public void resize(int rows, int columns) {
        calls().call("ResizePty", ResizePtyRequest.newBuilder().setId(container.id()).setExecId(execId).setHeight(rows)
                .setWidth(columns).build());
    }

    @Override
    public int await() {
        return await(WITHOUT_LIMIT).orElse(255);
    }

    /** Waits for its end; empty when {@code limit} passed first. */
    OptionalInt await(Duration limit) {
        try {
            int code = calls().call("Wait", own(), WaitResponse.parser(), limit).getExitStatus();
            ended = true;
            return OptionalInt.of(code);
        } catch (CallFault failure) {
            if (failure.origin() == CallFault.Origin.TIMEOUT) {
                return OptionalInt.empty();
            }
            throw RuntimeFault.during("wait for a process in container " + container.id(), failure);
        }
    }

    @Override
    public void kill() {
        if (ended) {
            return;
        }
        // A shim only signals the process itself. Elsewhere than on this node its number would be somebody else's.
        if (pid > 0 && container.shim().site().handler().isRunc() && inside().contains(pid)) {
            Processes.killTree(pid);
            return;
        }
        kill(calls(), container.id(), execId);
    }

    private List<Integer> inside() {
        return container.shim().site().cgroups().processes(container.shim().site().cgroup(container.id()));
    }

    private static void kill(ShimConnection shim, String id, String execId) {
        try {
            shim.callSoon("Kill", KillRequest.newBuilder().setId(id).setExecId(execId).setSignal(Signals.KILL).build());
        } catch (RuntimeFault ended) {
            LOG.atDebug().addKeyValue("container", id).addKeyValue("reason", ended.getMessage()).log("process not killed");
        }
    }

    /** Ends what an earlier Berth ran here and died over: its clients have gone with it. */
    static void endLost(ShimContainer container) {
        Path bundle = container.shim().site().bundle(container.id());
        try (var pipes = Files.newDirectoryStream(bundle, PREFIX + "*-stdout")) {
            for (Path pipe : pipes) {
                String execId = pipe.getFileName().toString().replaceAll("^" + PREFIX + "|-stdout$", "");
                kill(container.shim().calls(), container.id(), execId);
                awaitKilled(container, execId);
                delete(container, execId);
                for (String name : List.of("stdin", "stdout", "stderr")) {
                    Files.deleteIfExists(bundle.resolve(PREFIX + execId + "-" + name));
                }
            }
        } catch (IOException e) {
            throw RuntimeFault.internal("end lost processes in container " + container.id() + ": "
                    + RuntimeFault.reason(e), e);
        }
    }

    private static void awaitKilled(ShimContainer container, String execId) {
        quietly(container, () -> container.shim().calls().call("Wait", process(container, execId), WaitResponse.parser(),
                ShimSite.END_LIMIT));
    }

    // Nobody waits for it: some shims answer only when nothing holds the output any more, which the process may have left to
    // what it started.
    private static void delete(ShimContainer container, String execId) {
        Thread.ofVirtual().name("shim delete").start(() -> quietly(container, () ->
                container.shim().calls().call("Delete", process(container, execId), DeleteResponse.parser())));
    }

    private static ProcessRequest process(ShimContainer container, String execId) {
        return ProcessRequest.newBuilder().setId(container.id()).setExecId(execId).build();
    }

    private static void quietly(ShimContainer container, Runnable call) {
        try {
            call.run();
        } catch (RuntimeFault gone) {
            LOG.atDebug().addKeyValue("container", container.id()).addKeyValue("reason", gone.getMessage())
                    .log("process not deleted");
        }
    }

    @Override
    public void refuseFailedStart(int exitCode, String printed) {
        // The shim has said so already, when it was started.
    }

    @Override
    public void close() {
        try (output) {
            input.ifPresent(ShimInput::close);
            errors.ifPresent(Fd::close);
        }
        if (pid > 0 && !ended) {
            kill();
            awaitKilled(container, execId);
        }
        if (added) {
            delete(container, execId);
        }
        try {
            Files.deleteIfExists(pipe("stdout"));
            Files.deleteIfExists(pipe("stderr"));
        } catch (IOException e) {
            throw RuntimeFault.internal("remove pipes of container " + container.id() + ": " + RuntimeFault.reason(e), e);
        }
    }
}
