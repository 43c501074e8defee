package io.berth.runtime;

import io.berth.linux.PacketSocket;
import java.nio.file.Path;

/** By the attach socket of a container's monitor, whose packets are those of an {@link Attachment}. Source: conmon(8). */
final class ConmonAttachment implements Attachment {

    private final ConmonMonitor monitor;
    private final Path bundle;
    private final PacketSocket socket;

    ConmonAttachment(ConmonMonitor monitor, Path bundle) {
        this.monitor = monitor;
        this.bundle = bundle;
        this.socket = PacketSocket.connect(bundle.resolve("attach"));
    }

    @Override
    public int receive(byte[] packet) {
        return socket.receive(packet);
    }

    @Override
    public void send(byte[] bytes, int offset, int length) {
        socket.send(bytes, offset, length);
    }

    @Override
    public void endInput() {
        socket.endOutput();
    }

    @Override
    public void resize(int rows, int columns) {
        monitor.resize(bundle, rows, columns);
    }

    @Override
    public void end() {
        socket.end();
    }

    @Override
    public void close() {
        socket.close();
    }
}
