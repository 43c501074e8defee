package io.berth.pod.stream;

import io.berth.base.Timeline;
import io.berth.linux.PlatformThreads;
import io.berth.pod.Node;
import io.berth.pod.container.ExecProcess;
import io.berth.pod.record.Container;
import io.berth.runtime.ContainerRuntime;
import io.berth.runtime.RunningProcess;
import io.berth.streaming.ExecRequest;
import io.berth.streaming.ProcessStreams;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a command in a container with its input and output at a client. The process belongs to the connection: when the
 * client goes away it is killed, so no exec is left behind.
 */
final class ExecStream {

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
        ContainerRuntime.NewProcess process = processes.prepare(container, request.command(), request.tty(),
                streams.stdin().isPresent(), steps);
        return steps.step("run", () -> carry(node.runtime(container.handler()).exec(process), streams));
    }

    private static int carry(RunningProcess started, ProcessStreams streams) {
        try (RunningProcess process = started) {
            streams.onClose(process::kill);
            List<Thread> readers = new ArrayList<>();
            OutputStream stdout = streams.stdout().orElseGet(OutputStream::nullOutputStream);
            FirstBytes told;
            if (process.errors().isPresent()) {
                told = new FirstBytes(streams.stderr().orElseGet(OutputStream::nullOutputStream));
                readers.add(Pumps.toClient(process.output(), stdout));
                readers.add(Pumps.toClient(process.errors().get(), told));
            } else {
                told = new FirstBytes(stdout);
                readers.add(Pumps.toClient(process.output(), told));
            }
            streams.onResize(size -> process.resize(size.rows(), size.columns()));
            streams.stdin().ifPresent(stdin -> Pumps.fromClient(stdin, new Input(process)));
            int code = PlatformThreads.await(process::await);
            drain(readers);
            process.refuseFailedStart(code, told.text());
            return code;
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

    private record Input(RunningProcess process) implements Pumps.Sink {
        @Override
        public void write(byte[] bytes, int count) {
            PlatformThreads.call(() -> {
                process.write(bytes, count);
                return null;
            });
        }

        @Override
        public void end() {
            process.endInput();
        }
    }
}
