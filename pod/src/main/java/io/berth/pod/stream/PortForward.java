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

/**
 * Joins a client to a port on the loopback of a pod, which is the node's for a pod on the node's network. The loopback of
 * another kernel cannot be reached from here: of such a pod it is the port at its address, where nothing has it on the
 * loopback of its namespace.
 */
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
        try {
            return Namespaces.in(netns, () -> connectHere(sandbox, port));
        } catch (RuntimeFault refused) {
            if (!node.runtime(sandbox.handler()).hasOwnKernel() || sandbox.addresses().isEmpty()) {
                throw refused;
            }
            return connect(sandbox, port, sandbox.addresses());
        }
    }

    private static Socket connectHere(Sandbox sandbox, int port) throws IOException {
        return connect(sandbox, port, List.of("127.0.0.1", "::1"));
    }

    private static Socket connect(Sandbox sandbox, int port, List<String> addresses) throws IOException {
        IOException refused = null;
        for (String address : addresses) {
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
