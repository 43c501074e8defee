package io.berth.shim;

import com.google.protobuf.Timestamp;
import io.berth.base.RuntimeFault;
import io.berth.linux.Fifo;
import io.berth.linux.Processes;
import io.berth.linux.Signals;
import io.berth.runtime.Attachment;
import io.berth.runtime.ContainerRuntime.FirstProcess;
import io.berth.runtime.ContainerRuntime.NewContainer;
import io.berth.runtime.RuntimeWords;
import io.berth.shim.v2.CloseIORequest;
import io.berth.shim.v2.CreateTaskRequest;
import io.berth.shim.v2.CreateTaskResponse;
import io.berth.shim.v2.DeleteResponse;
import io.berth.shim.v2.KillRequest;
import io.berth.shim.v2.ProcessRequest;
import io.berth.shim.v2.ResizePtyRequest;
import io.berth.shim.v2.StartResponse;
import io.berth.shim.v2.StateResponse;
import io.berth.shim.v2.TaskStatus;
import io.berth.shim.v2.WaitResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One container behind a shim, watched by Berth itself: its output goes to the log and to attached clients, its end to the
 * exit file. Thread-safe. Its threads end with it.
 */
final class ShimContainer {

    private static final Logger LOG = LoggerFactory.getLogger(ShimContainer.class);
    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);
    private static final int KILLED_CODE = 128 + Signals.KILL;
    private static final int LOST_CODE = 255;
    /** What gVisor's shim tells of a container whose kernel has gone. */
    private static final int GONE_KERNEL_CODE = 128;

    private final Shim shim;
    private final NewContainer described;
    private final ShimOutput output;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CountDownLatch forgotten = new CountDownLatch(1);
    private Optional<ShimInput> input = Optional.empty();

    ShimContainer(Shim shim, NewContainer described) {
        this.shim = shim;
        this.described = described;
        this.output = new ShimOutput(described);
    }

    String id() {
        return described.id();
    }

    private ProcessRequest own() {
        return ProcessRequest.newBuilder().setId(id()).build();
    }

    private Path pipe(String name) {
        return described.bundle().resolve(name);
    }

    /** Makes the container; a failed one is ended by the caller. */
    synchronized FirstProcess create() {
        shim.join(this);
        CreateTaskRequest.Builder request = CreateTaskRequest.newBuilder().setId(id())
                .setBundle(described.bundle().toString()).setTerminal(described.terminal())
                .setStdout(pipe("stdout").toString());
        Fifo.make(pipe("stdout"));
        if (!described.terminal()) {
            Fifo.make(pipe("stderr"));
            request.setStderr(pipe("stderr").toString());
        }
        if (described.stdin()) {
            input = Optional.of(ShimInput.make(pipe("stdin")));
            request.setStdin(pipe("stdin").toString());
        }
        output.open();
        shim.site().handler().taskOptions(shim.site().paths().runcRoot()).ifPresent(request::setOptions);
        shim.site().markGiven(id());
        try {
            int pid = shim.calls().call("Create", request.build(), CreateTaskResponse.parser()).getPid();
            watch();
            return new FirstProcess(pid, Processes.startTicks(pid).orElse(0));
        } catch (RuntimeFault failure) {
            throw told("create container " + id(), failure);
        }
    }

    /** An answer's reason in the words of what the shim runs; a silence by its name; every other failure as it is. */
    static RuntimeFault told(String action, RuntimeFault failure) {
        if (ShimConnection.isSilence(failure)) {
            return new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, action + ": its shim does not answer: "
                    + failure.getMessage(), failure);
        }
        return failure.kind() == RuntimeFault.Kind.INTERNAL ? RuntimeWords.fault(action, failure.getMessage())
                : RuntimeFault.during(action, failure);
    }

    synchronized void start() {
        try {
            shim.calls().call("Start", own(), StartResponse.parser());
        } catch (RuntimeFault failure) {
            throw told("start container " + id(), failure);
        }
        // Now at the latest the shim has opened its sides of the pipes.
        output.carry();
        input.ifPresent(ShimInput::started);
    }

    /** Takes up a container that an earlier Berth has created. */
    synchronized void adopt() {
        shim.join(this);
        output.open();
        try {
            StateResponse state = shim.calls().call("State", own(), StateResponse.parser());
            if (state.getStatus() != TaskStatus.TASK_CREATED) {
                output.carry();
            }
            if (described.stdin()) {
                input = ShimInput.adopt(pipe("stdin"), state.getStatus() != TaskStatus.TASK_CREATED);
            }
            watch();
        } catch (RuntimeFault failure) {
            if (!ShimConnection.isUnknown(failure)) {
                throw failure;
            }
            tell(LOST_CODE, Shim.now(), "its shim does not know it any more: the exit code is lost");
        }
    }

    /** Waits for its end on a thread of its own, until that or the end of the connection. */
    void watch() {
        ShimConnection watched = shim.calls();
        Thread.ofVirtual().name("shim wait").start(() -> {
            try {
                WaitResponse end = watched.call("Wait", own(), WaitResponse.parser(), WITHOUT_LIMIT);
                tell(end.getExitStatus(), end.getExitedAt(), "");
                forget();
            } catch (RuntimeFault failure) {
                if (!ShimConnection.isLost(failure)) {
                    tell(LOST_CODE, Shim.now(), "its shim cannot tell its end: " + failure.getMessage());
                }
            }
        });
    }

    // Synchronized: a start that is under way has begun to carry the output when this goes on.
    private synchronized void tell(int code, Timestamp at, String message) {
        if (ended.getCount() == 0) {
            return;
        }
        output.finish();
        input.ifPresent(ShimInput::close);
        boolean goneKernel = code == GONE_KERNEL_CODE && !shim.site().handler().isRunc();
        // The event of it may come late or never, and the group goes with the task.
        boolean outOfMemory = (code == KILLED_CODE || goneKernel)
                && (shim.ranOutOfMemory() || shim.site().ranOutOfMemory(id(), described.sandboxId()));
        if (outOfMemory) {
            shim.site().paths().markOutOfMemory(id());
        }
        ExitFile.write(shim.site().paths().exits(), id(), outOfMemory ? KILLED_CODE : code, at, message);
        ended.countDown();
    }

    // What the shim keeps of it; what cannot be deleted now is tried again with the removal of the container.
    private void forget() {
        try {
            shim.calls().call("Delete", own(), DeleteResponse.parser());
            shim.site().markDeleted(id());
        } catch (RuntimeFault failure) {
            if (ShimConnection.isUnknown(failure)) {
                shim.site().markDeleted(id());
            } else {
                LOG.atWarn().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                        .log("shim has not deleted it, tried again at its removal");
            }
        } finally {
            forgotten.countDown();
        }
    }

    /** Waits until the shim keeps nothing of an ended container any more. */
    boolean awaitForgotten(Duration limit) {
        try {
            return forgotten.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "wait for the end of container " + id() + ": interrupted", e);
        }
    }

    /** The shim is gone: ends what runs, and tells why. */
    void endWithoutShim(String reason) {
        int code = LOST_CODE;
        try {
            code = shim.site().deleteWithoutShim(id());
        } catch (RuntimeFault failure) {
            LOG.atWarn().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                    .log("what its shim has left cannot be deleted");
        }
        tell(code, Shim.now(), "its shim has ended, and it was killed: " + reason);
        forgotten.countDown();
    }

    /** Ends it, and removes what the shim keeps of it. Idempotent. */
    void remove() {
        if (!shim.site().isDeleted(id()) && !shim.isDead()) {
            if (shim.answers()) {
                endByShim();
            } else {
                shim.lost("it does not answer");
            }
        }
        if (!shim.site().isDeleted(id())) {
            shim.site().deleteWithoutShim(id());
        }
        shim.leave(this);
        output.finish();
        input.ifPresent(ShimInput::close);
    }

    private void endByShim() {
        try {
            // Whoever waits for its end also lets the shim forget it.
            if (kill(Signals.KILL, true) && awaitForgotten(ShimSite.END_LIMIT)) {
                return;
            }
        } catch (RuntimeFault failure) {
            if (endedBeforeItsStart()) {
                return;
            }
            LOG.atWarn().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                    .log("shim cannot kill it");
        }
        forget();
    }

    /** Sends a signal; false when the shim knows no such process, which may have ended. */
    private boolean kill(int signal, boolean all) {
        try {
            shim.calls().callSoon("Kill", KillRequest.newBuilder().setId(id()).setSignal(signal).setAll(all).build());
            return true;
        } catch (RuntimeFault fault) {
            if (ShimConnection.isUnknown(fault)) {
                return false;
            }
            throw fault;
        }
    }

    /** As {@link #kill} of the first process alone; of a shim that does not answer nothing is expected. */
    void signal(int signal) {
        try {
            kill(signal, false);
        } catch (RuntimeFault failure) {
            if (signal == Signals.KILL && endedBeforeItsStart()) {
                return;
            }
            LOG.atWarn().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                    .log("signal not sent by its shim");
        }
    }

    // gVisor does not signal a container that has not begun, and its shim would wait for ever for the end of its output before
    // it deletes it: it is deleted past the shim, which does not notice.
    private boolean endedBeforeItsStart() {
        try {
            if (state().getStatus() != TaskStatus.TASK_CREATED) {
                return false;
            }
            shim.deletedPast();
            tell(shim.site().deleteWithoutShim(id()), Shim.now(), "");
            forgotten.countDown();
            return true;
        } catch (RuntimeFault failure) {
            LOG.atWarn().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                    .log("container that has not begun not deleted");
            return false;
        }
    }

    StateResponse state() {
        return shim.calls().call("State", own(), StateResponse.parser());
    }

    Shim shim() {
        return shim;
    }

    void reopenLog() {
        output.reopenLog();
    }

    Attachment attach() {
        return output.join(new ShimClient(this));
    }

    void leave(ShimClient client) {
        output.leave(client);
    }

    void write(byte[] bytes, int offset, int length) {
        Optional<ShimInput> open;
        synchronized (this) {
            open = input;
        }
        open.ifPresent(pipe -> pipe.write(bytes, offset, length));
    }

    void clientEndedInput() {
        if (described.stdinOnce() && described.stdin()) {
            closeInput();
        }
    }

    private void closeInput() {
        synchronized (this) {
            input.ifPresent(ShimInput::close);
            input = Optional.empty();
        }
        try {
            shim.calls().call("CloseIO", CloseIORequest.newBuilder().setId(id()).setStdin(true).build());
        } catch (RuntimeFault failure) {
            LOG.atDebug().addKeyValue("container", id()).addKeyValue("reason", failure.getMessage())
                    .log("input not ended");
        }
    }

    void resize(int rows, int columns) {
        if (described.terminal()) {
            shim.calls().call("ResizePty", ResizePtyRequest.newBuilder().setId(id()).setHeight(rows).setWidth(columns)
                    .build());
        }
    }
}
