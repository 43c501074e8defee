package io.berth.runtime;

import io.berth.linux.ChildProcess;
import io.berth.linux.Command;
import io.berth.linux.Fd;
import io.berth.linux.Pty;
import io.berth.linux.Signals;
import io.berth.linux.Spawn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A process that an OCI runtime's {@code exec} runs, with pipes or a terminal of Berth's as the runtime's own. */
final class OciProcess implements RunningProcess {

    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);
    private static final Duration START = Duration.ofSeconds(5);

    private final OciExec exec;
    private final ChildProcess child;
    private final Optional<Pty> terminal;
    private final Fd input;
    private final Fd output;
    private final Optional<Fd> errors;

    private OciProcess(OciExec exec, ChildProcess child, Optional<Pty> terminal, Fd input, Fd output, Optional<Fd> errors) {
        this.exec = exec;
        this.child = child;
        this.terminal = terminal;
        this.input = input;
        this.output = output;
        this.errors = errors;
    }

    /** Starts it; {@code exec} is closed with it, also when this fails. */
    static OciProcess start(OciExec exec, boolean onTerminal, boolean stdin) {
        try {
            return onTerminal ? onTerminal(exec) : onPipes(exec, stdin);
        } catch (RuntimeException failure) {
            exec.close();
            throw failure;
        }
    }

    private static Spawn spawn(OciExec exec) {
        return Spawn.of(exec.commandLine(), Map.of("PATH", Command.searchPath())).newSession();
    }

    private static OciProcess onTerminal(OciExec exec) {
        Pty pty = Pty.open();
        try {
            Spawn spawn = spawn(exec).descriptor(0, pty.terminal()).descriptor(1, pty.terminal()).descriptor(2, pty.terminal());
            if (exec.usesTerminalItself()) {
                spawn.controllingTerminal(pty.terminal());
            }
            ChildProcess child = spawn.start();
            pty.terminal().close();
            return new OciProcess(exec, child, Optional.of(pty), pty.master(), pty.master(), Optional.empty());
        } catch (RuntimeException failure) {
            pty.close();
            throw failure;
        }
    }

    private static OciProcess onPipes(OciExec exec, boolean stdin) {
        List<Fd.Pipe> opened = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                opened.add(Fd.pipe());
            }
            Fd.Pipe in = opened.get(0);
            Fd.Pipe out = opened.get(1);
            Fd.Pipe err = opened.get(2);
            ChildProcess child = spawn(exec).descriptor(0, in.read()).descriptor(1, out.write()).descriptor(2, err.write())
                    .start();
            in.read().close();
            out.write().close();
            err.write().close();
            if (!stdin) {
                in.write().close();
            }
            return new OciProcess(exec, child, Optional.empty(), in.write(), out.read(), Optional.of(err.read()));
        } catch (RuntimeException failure) {
            opened.forEach(Fd.Pipe::close);
            throw failure;
        }
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
        input.write(bytes, 0, count);
    }

    @Override
    public void endInput() {
        if (terminal.isEmpty()) {
            input.close();
            return;
        }
        try {
            // A terminal stays open when the client ends its input.
            write(new byte[] {4}, 1);
        } catch (RuntimeException ended) {
            // The process has ended before its input did.
        }
    }

    @Override
    public void resize(int rows, int columns) {
        terminal.ifPresent(pty -> {
            pty.resize(rows, columns);
            // The runtime copies its own terminal's size when it is told; it is in no foreground group to be told by.
            child.signal(Signals.WINCH);
        });
    }

    @Override
    public int await() {
        return child.await(WITHOUT_LIMIT).orElse(255);
    }

    // The runtime waits for the process, reaps it and ends. It tells the process's number only after its start, so a client
    // that leaves at once is waited for: killing the runtime alone would leave the process without an owner.
    @Override
    public void kill() {
        long deadline = System.nanoTime() + START.toNanos();
        while (!exec.kill()) {
            if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
                child.signal(Signals.KILL);
                return;
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Override
    public void refuseFailedStart(int exitCode, String printed) {
        exec.refuseFailedStart(exitCode, printed);
    }

    @Override
    public void close() {
        // In this order: what still runs is killed first, and the files tell whom.
        try (exec; output; input; child) {
            errors.ifPresent(Fd::close);
        }
    }
}
