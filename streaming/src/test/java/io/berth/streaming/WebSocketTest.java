package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.streaming.client.ChannelClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;

class WebSocketTest extends StreamingFixture {

    private static ChannelClient connect(URI url, String... protocols) throws IOException {
        return ChannelClient.connect(url, List.of(protocols), SocketFactory.getDefault());
    }

    private static Map<Integer, String> readAll(ChannelClient client) throws IOException {
        Map<Integer, ByteArrayOutputStream> bytes = new HashMap<>();
        for (Optional<ChannelClient.Message> m = client.receive(); m.isPresent(); m = client.receive()) {
            bytes.computeIfAbsent(m.get().channel(), c -> new ByteArrayOutputStream()).writeBytes(m.get().payload());
        }
        Map<Integer, String> texts = new HashMap<>();
        bytes.forEach((channel, all) -> texts.put(channel, all.toString(UTF_8)));
        return texts;
    }

    @Test
    void versionFiveEndsTheInputWithACloseSignal() throws Exception {
        try (ChannelClient client = connect(server.exec(exec("cat")), "v5.channel.k8s.io", "v4.channel.k8s.io")) {
            assertEquals("v5.channel.k8s.io", client.subprotocol());
            client.send(ChannelClient.STDIN, "hello".getBytes(UTF_8));
            client.closeChannel(ChannelClient.STDIN);
            assertEquals(Map.of(1, "hello", 3, "{\"metadata\":{},\"status\":\"Success\"}"), readAll(client));
        }
    }

    @Test
    void anExitCodeComesOnTheErrorChannel() throws Exception {
        try (ChannelClient client = connect(server.exec(exec("both")), "v4.channel.k8s.io")) {
            Map<Integer, String> received = readAll(client);
            assertEquals("out", received.get(1));
            assertEquals("err", received.get(2));
            assertTrue(received.get(3).contains("{\"reason\":\"ExitCode\",\"message\":\"3\"}"));
        }
    }

    @Test
    void withoutASubprotocolItIsTheFirstVersion() throws Exception {
        try (ChannelClient client = connect(server.exec(exec("both")))) {
            assertEquals("", client.subprotocol());
            assertTrue(readAll(client).get(3).startsWith("command terminated"));
        }
    }

    @Test
    void base64ChannelsCarryDigitsAndText() throws Exception {
        AttachRequest attach = new AttachRequest("c1", false, true, true, false);
        try (ChannelClient client = connect(server.attach(attach), "v4.base64.channel.k8s.io")) {
            assertEquals('1', client.receive().orElseThrow().channel());
            client.send('0', "aGVsbG8=".getBytes(UTF_8));
            ChannelClient.Message echo = client.receive().orElseThrow();
            assertEquals('1', echo.channel());
            assertEquals("aGVsbG8=", new String(echo.payload(), UTF_8));
        }
    }

    @Test
    void aTerminalIsResized() throws Exception {
        try (ChannelClient client = connect(server.exec(terminal("sizes")), "v5.channel.k8s.io")) {
            client.resize(132, 43);
            client.receive();
            assertEquals("132x43 ", new String(client.receive().orElseThrow().payload(), UTF_8));
            client.resize(1, 1);
            assertEquals("1x1 ", readAll(client).get(1));
        }
    }

    @Test
    void tenMebibytesPassThroughASlowConsumer() throws Exception {
        target.slowness = 1;
        try (ChannelClient client = connect(server.exec(exec("count")), "v5.channel.k8s.io")) {
            for (int i = 0; i < 320; i++) {
                client.send(ChannelClient.STDIN, new byte[32 * 1024]);
            }
            client.closeChannel(ChannelClient.STDIN);
            assertEquals("10485760", readAll(client).get(1));
        }
    }

    @Test
    void aVanishedClientIsReported() throws Exception {
        connect(server.exec(exec("wait")), "v5.channel.k8s.io").close();
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        assertEquals("gone", target.events.poll(5, TimeUnit.SECONDS));
    }

    @Test
    void inputThatNobodyReadsIsHeldBackAndAVanishedClientStillNoticed() throws Exception {
        ChannelClient client = connect(server.exec(exec("wait")), "v5.channel.k8s.io");
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        assertHeldBack(mebibyte -> client.send(ChannelClient.STDIN, mebibyte));
        client.close();
        assertEquals("gone", target.events.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void portsAreForwardedOnPairsOfChannelsThatBeginWithThePort() throws Exception {
        URI url = server.portForward(new PortForwardRequest("p1", List.of(8080, 9)));
        try (ChannelClient client = connect(url, "v4.channel.k8s.io")) {
            client.send(0, "hello".getBytes(UTF_8));
            ByteArrayOutputStream first = new ByteArrayOutputStream();
            ByteArrayOutputStream error = new ByteArrayOutputStream();
            byte[] port = {(byte) 0x90, 0x1f};
            while (!first.toString(UTF_8).endsWith("8080:hello") || !error.toString(UTF_8).contains("refused")) {
                ChannelClient.Message message = client.receive().orElseThrow();
                (message.channel() == 0 ? first : message.channel() == 3 ? error : new ByteArrayOutputStream())
                        .writeBytes(message.payload());
            }
            assertEquals(port[0], first.toByteArray()[0]);
            assertEquals(port[1], first.toByteArray()[1]);
            assertEquals(9, error.toByteArray()[0]);
        }
        eventually("ended", () -> target.running.get() == 0);
    }

    @Test
    void portsMayStandInTheUrlAndMustStandSomewhere() throws Exception {
        URI url = server.portForward(new PortForwardRequest("p1", List.of()));
        try (ChannelClient client = connect(URI.create(url + "?port=80&port=81,82"), "v4.channel.k8s.io")) {
            assertEquals(0, client.receive().orElseThrow().channel());
        }
        URI without = server.portForward(new PortForwardRequest("p1", List.of()));
        assertThrows(IOException.class, () -> connect(without, "v4.channel.k8s.io"));
        URI bad = URI.create(server.portForward(new PortForwardRequest("p1", List.of())) + "?port=70000");
        assertThrows(IOException.class, () -> connect(bad, "v4.channel.k8s.io"));
    }

    @Test
    void anUnknownSubprotocolIsRefused() {
        URI url = server.exec(exec("cat"));
        assertTrue(assertThrows(IOException.class, () -> connect(url, "v9.channel.k8s.io"))
                .getMessage()
                .contains("403"));
    }

    @Test
    void spdyRunsInATunnel() throws Exception {
        URI url = server.portForward(new PortForwardRequest("p1", List.of()));
        try (ChannelClient client = connect(url, "SPDY/3.1+portforward.k8s.io")) {
            assertEquals("SPDY/3.1+portforward.k8s.io", client.subprotocol());
            // A ping with id 1, cut in two: the messages' borders mean nothing.
            client.send(0x80, new byte[] {3, 0, 6, 0, 0});
            client.send(0, new byte[] {4, 0, 0, 0, 1});
            ChannelClient.Message pong = client.receive().orElseThrow();
            assertEquals(0x80, pong.channel());
            assertEquals(6, pong.payload()[2]);
            assertEquals(1, pong.payload()[10]);
        }
    }

    @Test
    void hugeNegativeAndUnmaskedFramesEndTheSession() throws Exception {
        byte[][] frames = {
            {(byte) 0x82, (byte) 0xff, 0x7f, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0},
            {(byte) 0x82, (byte) 0xff, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0},
            {(byte) 0x82, 1, 0},
            {(byte) 0xf2, (byte) 0x81, 0, 0, 0, 0, 0},
        };
        for (byte[] frame : frames) {
            RawUpgrade raw = new RawUpgrade(server.exec(exec("wait")));
            assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
            raw.socket.getOutputStream().write(frame);
            assertEquals("gone", target.events.poll(5, TimeUnit.SECONDS));
            raw.socket.close();
        }
    }

    @Test
    void garbageNeverLeavesAnythingBehind() throws Exception {
        Random random = new Random(11);
        for (int round = 0; round < 50; round++) {
            RawUpgrade raw = new RawUpgrade(server.exec(exec("wait")));
            byte[] garbage = new byte[4096];
            random.nextBytes(garbage);
            try {
                raw.socket.getOutputStream().write(garbage);
            } catch (IOException reset) {
                // The server has seen enough.
            }
            raw.socket.close();
        }
        eventually("connections end", () -> server.connections() == 1);
    }
}
