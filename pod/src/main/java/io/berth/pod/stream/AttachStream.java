package io.berth.pod.stream;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.PlatformThreads;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.runtime.Attachment;
import io.berth.streaming.AttachRequest;
import io.berth.streaming.ProcessStreams;
import java.io.IOException;
import java.io.OutputStream;

/** Joins a client to a container's own process. */
final class AttachStream {

    private final Node node;

    AttachStream(Node node) {
        this.node = node;
    }

    void run(AttachRequest request, ProcessStreams streams) {
        Container container = node.inventory().container(request.containerId());
        // Before its start the monitor is there already, and who attaches then misses nothing.
        if (!container.isLive() || container.awaitsRestore()) {
            throw RuntimeFault.precondition("attach to container " + container.id() + ": it does not run");
        }
        Timeline.Operation steps = Timeline.unrecorded("Attach");
        try (Attachment socket = steps.open("connect", () -> node.runtime(container.handler()).attach(container.id()))) {
            streams.onClose(socket::end);
            streams.onResize(size -> socket.resize(size.rows(), size.columns()));
            tellJoined(streams);
            streams.stdin().ifPresent(stdin -> Pumps.fromClient(stdin, new SocketSink(socket)));
            steps.run("copy", () -> PlatformThreads.await(() -> {
                try (AttachedClient client = new AttachedClient(container.id())) {
                    copy(socket, streams, client);
                }
                return null;
            }));
        }
    }

    // An empty message: from here on nothing of the container's output is missed, so that a client may start it now.
    private static void tellJoined(ProcessStreams streams) {
        streams.stdout().ifPresent(stdout -> {
            try {
                stdout.write(new byte[0]);
            } catch (IOException gone) {
                // The copying below finds out too.
            }
        });
    }

    private static void copy(Attachment socket, ProcessStreams streams, AttachedClient client) {
        OutputStream stdout = streams.stdout().orElseGet(OutputStream::nullOutputStream);
        OutputStream stderr = streams.stderr().orElseGet(OutputStream::nullOutputStream);
        byte[] packet = new byte[Attachment.PACKET_BYTES];
        int length = socket.receive(packet);
        while (length >= 0) {
            OutputStream target = packet[0] == Attachment.STDOUT ? stdout : packet[0] == Attachment.STDERR ? stderr
                    : OutputStream.nullOutputStream();
            try {
                client.put(target, packet, 1, length - 1);
            } catch (IOException gone) {
                return;
            }
            length = socket.receive(packet);
        }
        client.finish();
    }

    private record SocketSink(Attachment socket) implements Pumps.Sink {
        @Override
        public void write(byte[] bytes, int count) {
            for (int offset = 0; offset < count; offset += Attachment.PACKET_BYTES - 1) {
                int from = offset;
                int length = Math.min(Attachment.PACKET_BYTES - 1, count - offset);
                PlatformThreads.call(() -> {
                    socket.send(bytes, from, length);
                    return null;
                });
            }
        }

        @Override
        public void end() {
            socket.endInput();
        }
    }
}
