package io.berth.pod.stream;

import io.berth.base.Timeline;
import io.berth.linux.ChildProcess;
import io.berth.linux.Command;
import io.berth.linux.Fd;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Pty;
import io.berth.linux.Signals;
import io.berth.linux.Spawn;
import io.berth.pod.Node;
import io.berth.pod.container.ExecProcess;
import io.berth.pod.record.Container;
import io.berth.streaming.ExecRequest;
import io.berth.streaming.ProcessStreams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.Map;

/**
 * Runs a command in a container with its input and output at a client. The process belongs to the connection: when the
 * client goes away it is killed, so no exec is left behind.
 */
final class ExecStream {

    private static final Duration WITHOUT_LIMIT = Duration.ofDays(365);
    private static final Duration START = Duration.ofSeconds(5);
    /** What the process printed last is there when it ends; who else still holds the pipe does not count. */
    private static final Duration DRAIN = Duration.ofSeconds(2);

    private final Node node;
    private final ExecProcess processes;

    ExecStream(Node node) {
        this.node = node;
        this.processes = new ExecProcess(node);
    }

    int run(ExecRequest request, ProcessStreams streams) {
        Container container = node.inventory().container(request.containerId());
        Timeline.Operation steps = Timeline.unrecorded("Exec");
        try (ExecProcess.Files files = processes.prepare(container, request.command(), request.tty(), steps)) {
            return steps.step("run", () -> request.tty() ? onTerminal(files, streams) : onPipes(files, streams));
        }
    }

    private static Spawn spawn(ExecProcess.Files files) {
        return Spawn.of(files.commandLine(), Map.of("PATH", Command.searchPath())).newSession();
    }

    private int onPipes(ExecProcess.Files files, ProcessStreams streams) {
        try (Fd.Pipe in = Fd.pipe(); Fd.Pipe out = Fd.pipe(); Fd.Pipe err = Fd.pipe();
                ChildProcess child = spawn(files).descriptor(0, in.read()).descriptor(1, out.write())
                        .descriptor(2, err.write()).start()) {
            in.read().close();
            out.write().close();
            err.write().close();
            streams.onClose(() -> end(files, child));
            List<Thread> readers = new ArrayList<>();
            var errors = new FirstBytes(streams.stderr().orElseGet(java.io.OutputStream::nullOutputStream));
            readers.add(Pumps.toClient(out.read(), streams.stdout().orElseGet(java.io.OutputStream::nullOutputStream)));
            readers.add(Pumps.toClient(err.read(), errors));
            if (streams.stdin().isPresent()) {
                Pumps.fromClient(streams.stdin().get(), new PipeSink(in.write()));
            } else {
                in.write().close();
            }
            int code = awaitEnd(child);
            drain(readers);
            files.refuseFailedStart(code, errors.text());
            return code;
        }
    }

    private int onTerminal(ExecProcess.Files files, ProcessStreams streams) {
        try (Pty pty = Pty.open();
                ChildProcess child = spawn(files).descriptor(0, pty.terminal()).descriptor(1, pty.terminal())
                        .descriptor(2, pty.terminal()).start()) {
            pty.terminal().close();
            streams.onClose(() -> end(files, child));
            var output = new FirstBytes(streams.stdout().orElseGet(java.io.OutputStream::nullOutputStream));
            Thread reader = Pumps.toClient(pty.master(), output);
            streams.onResize(size -> {
                pty.resize(size.rows(), size.columns());
                // The runtime copies its own terminal's size when it is told; it is in no foreground group to be told by.
                child.signal(Signals.WINCH);
            });
            streams.stdin().ifPresent(stdin -> Pumps.fromClient(stdin, new TerminalSink(pty.master())));
            int code = awaitEnd(child);
            drain(List.of(reader));
            files.refuseFailedStart(code, output.text());
            return code;
        }
    }

    private static int awaitEnd(ChildProcess child) {
        return PlatformThreads.await(() -> child.await(WITHOUT_LIMIT)).orElse(255);
    }

    // The runtime waits for the process, reaps it and ends. It tells the process's number only after its start, so a client
    // that leaves at once is waited for: killing the runtime alone would leave the process without an owner.
    private static void end(ExecProcess.Files files, ChildProcess child) {
        long deadline = System.nanoTime() + START.toNanos();
        while (!files.kill()) {
            if (System.nanoTime() > deadline || Thread.currentThread().isInterrupted()) {
                child.signal(Signals.KILL);
                return;
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    private static void drain(List<Thread> readers) {
        for (Thread reader : readers) {
            try {
                reader.join(DRAIN);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends with the client's input. */
    private record PipeSink(Fd pipe) implements Pumps.Sink {
        @Override
        public void write(byte[] bytes, int count) {
            PlatformThreads.call(() -> {
                pipe.write(bytes, 0, count);
                return null;
            });
        }

        @Override
        public void end() {
            pipe.close();
        }
    }

    /** A terminal stays open when the client ends its input; the process reads the end-of-file character. */
    private record TerminalSink(Fd master) implements Pumps.Sink {
        @Override
        public void write(byte[] bytes, int count) {
            PlatformThreads.call(() -> {
                master.write(bytes, 0, count);
                return null;
            });
        }

        @Override
        public void end() {
            try {
                write(new byte[] {4}, 1);
            } catch (RuntimeException ended) {
                // The process has ended before its input did.
            }
        }
    }
}
