package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PortForwardRequest;
import io.berth.streaming.client.ChannelClient;
import io.berth.streaming.client.SpdyClient;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Connections into a pod, which the kubelet asks for. */
@Timeout(120)
class PortForwardConformanceIT {

    private static final String PROTOCOL = "portforward.k8s.io";
    private static final byte[] GET = "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    @RegisterExtension
    static final Cri CRI = new Cri();

    private record Connection(SpdyClient.Stream error, SpdyClient.Stream data) {

        static Connection open(SpdyClient client, int port, int request) throws Exception {
            return new Connection(
                    client.open(Map.of("streamtype", "error", "port", Integer.toString(port), "requestid", Integer.toString(request))),
                    client.open(Map.of("streamtype", "data", "port", Integer.toString(port), "requestid", Integer.toString(request))));
        }
    }

    private static String url(String pod, Integer... ports) {
        return CRI.runtime().portForward(PortForwardRequest.newBuilder().setPodSandboxId(pod).addAllPort(List.of(ports)).build())
                .getUrl();
    }

    private static SpdyClient connect(String url) throws Exception {
        SpdyClient client = new SpdyClient(URI.create(url), PROTOCOL).reading();
        assertTrue(client.response.getFirst().contains(" 101 "), client.response::toString);
        return client;
    }

    private static Cri.Pod web(String... listen) {
        var pod = CRI.pod();
        String server = "";
        for (String address : listen) {
            server = CRI.run(pod, config -> { }, "httpd", "-f", "-p", address, "-h", "/www");
        }
        for (String address : listen) {
            CRI.awaitListening(server, Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));
        }
        return pod;
    }

    @Test
    void aPortOfThePodIsReached() throws Exception {
        try (SpdyClient client = connect(url(web("80").id(), 80))) {
            Connection connection = Connection.open(client, 80, 0);
            client.send(connection.data, GET, false);
            assertTrue(connection.data.text().contains("a page for tests"));
            client.end(connection.data);
            assertEquals("", connection.error.text());
        }
    }

    @Test
    void aPortOnThePodsLoopbackIsReached() throws Exception {
        try (SpdyClient client = connect(url(web("127.0.0.1:8080").id(), 8080))) {
            Connection connection = Connection.open(client, 8080, 0);
            client.send(connection.data, GET, false);
            assertTrue(connection.data.text().contains("a page for tests"));
        }
    }

    @Test
    void severalConnectionsToSeveralPortsShareOneClient() throws Exception {
        try (SpdyClient client = connect(url(web("80", "81").id(), 80, 81))) {
            Connection first = Connection.open(client, 80, 0);
            Connection second = Connection.open(client, 81, 1);
            Connection third = Connection.open(client, 80, 2);
            for (Connection each : List.of(third, second, first)) {
                client.send(each.data, GET, false);
            }
            for (Connection each : List.of(first, second, third)) {
                assertTrue(each.data.text().contains("a page for tests"));
            }
        }
    }

    @Test
    void aPortOnWhichNothingListensIsAnErrorOfItsStreamOnly() throws Exception {
        try (SpdyClient client = connect(url(web("80").id(), 80, 9))) {
            Connection refused = Connection.open(client, 9, 0);
            assertTrue(refused.error.text().contains("9"));
            Connection well = Connection.open(client, 80, 1);
            client.send(well.data, GET, false);
            assertTrue(well.data.text().contains("a page for tests"));
        }
    }

    @Test
    void aPodOnTheNodesNetworkForwardsToTheNode() throws Exception {
        var pod = CRI.pod(config -> config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder()
                .setNetwork(NamespaceMode.NODE));
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                SpdyClient client = connect(url(pod.id(), server.getLocalPort()))) {
            Connection connection = Connection.open(client, server.getLocalPort(), 0);
            client.send(connection.data, "ping".getBytes(StandardCharsets.US_ASCII), false);
            try (var accepted = server.accept()) {
                assertEquals("ping", new String(accepted.getInputStream().readNBytes(4), StandardCharsets.US_ASCII));
                accepted.getOutputStream().write("pong".getBytes(StandardCharsets.US_ASCII));
            }
            assertEquals("pong", connection.data.text());
        }
    }

    @Test
    void webSocketClientsReachThePodToo() throws Exception {
        CRI.onlyOnBerth("the kubelet itself forwards only over SPDY");
        String url = url(web("80").id(), 80);
        try (ChannelClient client = ChannelClient.connect(URI.create(url), List.of("v4.channel.k8s.io"), new PatientSockets())) {
            client.send(0, GET);
            ByteArrayOutputStream data = new ByteArrayOutputStream();
            while (!data.toString(StandardCharsets.UTF_8).contains("a page for tests")) {
                var message = client.receive().orElseThrow();
                if (message.channel() == 0) {
                    data.writeBytes(message.payload());
                }
            }
            assertEquals(80, data.toByteArray()[0]);
        }
    }

    @Test
    void anUnknownPodIsNotForwardedTo() {
        Cri.refused(() -> url("no-such-pod", 80));
    }

    @Test
    void muchDataComesThroughWhole() throws Exception {
        var pod = CRI.pod();
        String server = CRI.run(pod, config -> { }, "nc", "-l", "-p", "7000", "-e", "head", "-c", "2000000", "/dev/zero");
        CRI.awaitListening(server, 7000);
        try (SpdyClient client = connect(url(pod.id(), 7000))) {
            assertEquals(2_000_000, Connection.open(client, 7000, 0).data.readAll().length);
        }
    }
}
