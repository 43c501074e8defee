package io.berth.pod.stream;

import io.berth.base.RuntimeFault;
import io.berth.linux.Namespace;
import io.berth.linux.Namespaces;
import io.berth.pod.Node;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import io.berth.streaming.ForwardedConnection;
import io.berth.streaming.PortForwardRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Joins a client to a port on the loopback of a pod, which is the node's for a pod on the node's network. */
final class PortForward {

    private static final int CONNECT_MILLIS = 10_000;
    private static final Duration AFTER_THE_PODS_END = Duration.ofSeconds(1);

    private final Node node;

    PortForward(Node node) {
        this.node = node;
    }

    void run(PortForwardRequest request, int port, ForwardedConnection connection) throws IOException {
        Sandbox sandbox = node.inventory().sandbox(request.sandboxId());
        if (sandbox.phase() != Sandbox.Phase.READY) {
            throw RuntimeFault.precondition("forward port " + port + " of sandbox " + sandbox.id() + ": it is not ready");
        }
        try (Socket socket = connect(sandbox, port)) {
            connection.onClose(() -> closeQuietly(socket));
            Thread upstream = Thread.ofVirtual().name("forward-up").start(() -> {
                try {
                    connection.fromClient().transferTo(socket.getOutputStream());
                    socket.shutdownOutput();
                } catch (IOException gone) {
                    closeQuietly(socket);
                }
            });
            socket.getInputStream().transferTo(connection.toClient());
            connection.toClient().close();
            // A program that sends no more may still read. But a WebSocket cannot say so to the client, who would wait for more
            // for ever where the program has gone altogether.
            Pumps.join(upstream, AFTER_THE_PODS_END);
        }
    }

    private Socket connect(Sandbox sandbox, int port) throws IOException {
        if (sandbox.onHostNetwork()) {
            return connectHere(sandbox, port);
        }
        Path netns = new SandboxNamespaces(node).pins(sandbox).get(Namespace.NET);
        return Namespaces.in(netns, () -> connectHere(sandbox, port));
    }

    private static Socket connectHere(Sandbox sandbox, int port) throws IOException {
        IOException refused = null;
        for (String address : List.of("127.0.0.1", "::1")) {
            Socket socket = new Socket();
            try {
                socket.connect(new InetSocketAddress(address, port), CONNECT_MILLIS);
                return socket;
            } catch (IOException e) {
                socket.close();
                if (refused == null) {
                    refused = e;
                }
            }
        }
        throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "forward port " + port + " of sandbox " + sandbox.id()
                + ": nothing listens on it: " + RuntimeFault.reason(refused), refused);
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException alreadyBroken) {
            // Closing was all that was left to do.
        }
    }
}
