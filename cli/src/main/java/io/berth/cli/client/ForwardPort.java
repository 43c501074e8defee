package io.berth.cli.client;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.PortForwardRequest;
import io.berth.streaming.client.ChannelClient;
import io.berth.streaming.client.ChannelClient.Message;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.net.SocketFactory;

/**
 * A port of this machine whose connections go to a port of a pod, each over a streaming connection of its own. Closing it
 * ends listening and all connections. Source: the port-forward protocol over WebSocket (k8s.io/kubelet, portforward).
 */
public final class ForwardPort implements AutoCloseable {

    private static final int DATA = 0;
    private static final int CHUNK_BYTES = 16 * 1024;
    /** The protocol cannot say that our side sends no more, so the pod has this long for its answer after that. */
    private static final Duration AFTER_OUR_END = Duration.ofSeconds(60);
    /** Each channel begins with the port, in two bytes. */
    private static final int PORT_BYTES = 2;

    private final Connection berth;
    private final String podId;
    private final int remotePort;
    private final ServerSocket listening;
    private final Consumer<String> complaints;

    private ForwardPort(Connection berth, String podId, int remotePort, ServerSocket listening, Consumer<String> complaints) {
        this.berth = berth;
        this.podId = podId;
        this.remotePort = remotePort;
        this.listening = listening;
        this.complaints = complaints;
    }

    /**
     * Listens.
     *
     * @param localPort 0 for a free one
     * @param complaints told when a connection could not be made or broke
     */
    public static ForwardPort open(Connection berth, String podId, InetAddress address, int localPort, int remotePort,
            Consumer<String> complaints) {
        try {
            ForwardPort forward = new ForwardPort(berth, podId, remotePort, new ServerSocket(localPort, 50, address),
                    complaints);
            Thread.ofVirtual().name("forward").start(forward::accept);
            return forward;
        } catch (IOException e) {
            throw RuntimeFault.precondition("listen on " + address.getHostAddress() + ":" + localPort + ": "
                    + RuntimeFault.reason(e) + ": take another port, or :" + remotePort + " for a free one");
        }
    }

    public int localPort() {
        return listening.getLocalPort();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket connection = listening.accept();
                Thread.ofVirtual().start(() -> serve(connection));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            String url = berth.runtime().portForward(PortForwardRequest.newBuilder().setPodSandboxId(podId)
                    .addPort(remotePort).build()).getUrl();
            // Runtimes that do not keep the port with the address take it from here.
            URI withPort = URI.create(url + (url.contains("?") ? "&" : "?") + "port=" + remotePort);
            try (ChannelClient pod = ChannelClient.connect(withPort, List.of("v4.channel.k8s.io"), SocketFactory.getDefault())) {
                Thread.ofVirtual().start(() -> send(connection, pod));
                receive(pod, connection.getOutputStream());
            }
        } catch (IOException | StatusRuntimeException e) {
            complaints.accept("berth: forward a connection to port " + remotePort + ": " + RuntimeFault.reason(e));
        }
    }

    private static void send(Socket from, ChannelClient pod) {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            InputStream in = from.getInputStream();
            for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
                pod.send(DATA, Arrays.copyOf(chunk, count));
            }
            Thread.sleep(AFTER_OUR_END);
            pod.close();
        } catch (IOException | InterruptedException over) {
            // The receiving side ends the connection.
        }
    }

    private void receive(ChannelClient pod, OutputStream to) throws IOException {
        int[] seen = new int[2];
        Optional<Message> message = pod.receive();
        while (message.isPresent()) {
            int channel = message.get().channel() & 1;
            byte[] payload = message.get().payload();
            int prefix = Math.min(payload.length, Math.max(0, PORT_BYTES - seen[channel]));
            seen[channel] += payload.length;
            if (payload.length > prefix) {
                if (channel == DATA) {
                    to.write(payload, prefix, payload.length - prefix);
                    to.flush();
                } else {
                    complaints.accept("berth: port " + remotePort + ": "
                            + new String(payload, prefix, payload.length - prefix, StandardCharsets.UTF_8).strip());
                }
            }
            message = pod.receive();
        }
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw RuntimeFault.internal("stop listening on port " + localPort() + ": " + RuntimeFault.reason(e), e);
        }
    }
}
