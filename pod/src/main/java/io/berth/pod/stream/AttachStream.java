package io.berth.pod.stream;

import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.linux.PacketSocket;
import io.berth.linux.PlatformThreads;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.streaming.AttachRequest;
import io.berth.streaming.ProcessStreams;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/** Joins a client to a container's own process through its monitor's socket. Source: conmon's attach protocol. */
final class AttachStream {

    private static final int PACKET_BYTES = 8192 + 1;
    private static final int STDOUT = 2;
    private static final int STDERR = 3;

    private final Node node;

    AttachStream(Node node) {
        this.node = node;
    }

    void run(AttachRequest request, ProcessStreams streams) {
        Container container = node.inventory().container(request.containerId());
        // Before its start the monitor is there already, and who attaches then misses nothing.
        if (container.phase() != Container.Phase.RUNNING && container.phase() != Container.Phase.CREATED) {
            throw RuntimeFault.precondition("attach to container " + container.id() + ": it does not run");
        }
        Path bundle = node.directories().bundle(container.id());
        Timeline.Operation steps = Timeline.unrecorded("Attach");
        try (PacketSocket socket = steps.open("connect", () -> PacketSocket.connect(bundle.resolve("attach")))) {
            streams.onClose(socket::end);
            streams.onResize(size -> node.monitor().resize(bundle, size.rows(), size.columns()));
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

    private static void copy(PacketSocket socket, ProcessStreams streams, AttachedClient client) {
        OutputStream stdout = streams.stdout().orElseGet(OutputStream::nullOutputStream);
        OutputStream stderr = streams.stderr().orElseGet(OutputStream::nullOutputStream);
        byte[] packet = new byte[PACKET_BYTES];
        int length = socket.receive(packet);
        while (length >= 0) {
            OutputStream target = packet[0] == STDOUT ? stdout : packet[0] == STDERR ? stderr
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

    private record SocketSink(PacketSocket socket) implements Pumps.Sink {
        @Override
        public void write(byte[] bytes, int count) {
            for (int offset = 0; offset < count; offset += PACKET_BYTES - 1) {
                int from = offset;
                int length = Math.min(PACKET_BYTES - 1, count - offset);
                PlatformThreads.call(() -> {
                    socket.send(bytes, from, length);
                    return null;
                });
            }
        }

        @Override
        public void end() {
            socket.endOutput();
        }
    }
}
