package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.streaming.client.ChannelClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Exec and attach over WebSocket with the channel protocols v4 and v5. */
@Timeout(120)
class WebSocketConformanceIT {

    private static final String V5 = "v5.channel.k8s.io";

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static ChannelClient connect(String url, String protocol) throws IOException {
        ChannelClient client = ChannelClient.connect(URI.create(url), List.of(protocol), new PatientSockets());
        assertEquals(protocol, client.subprotocol());
        return client;
    }

    private static ChannelClient exec(String protocol, boolean stdin, boolean tty, String... command) throws IOException {
        return connect(StreamingConformanceIT.execUrl(CRI, CRI.sleeper(CRI.pod()), stdin, tty, command), protocol);
    }

    /** All that comes until the status on the error channel or the end, by channel. */
    private static Map<Integer, String> all(ChannelClient client) throws IOException {
        Map<Integer, ByteArrayOutputStream> channels = new HashMap<>();
        Optional<ChannelClient.Message> next = client.receive();
        while (next.isPresent()) {
            channels.computeIfAbsent(next.get().channel(), channel -> new ByteArrayOutputStream()).writeBytes(next.get().payload());
            next = client.receive();
        }
        Map<Integer, String> text = new HashMap<>();
        channels.forEach((channel, bytes) -> text.put(channel, bytes.toString(StandardCharsets.UTF_8)));
        return text;
    }

    private static String until(ChannelClient client, String wanted) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf(wanted) < 0) {
            var message = client.receive().orElseThrow(() -> new IOException("\"" + wanted + "\" does not come; there is: " + text));
            if (message.channel() == ChannelClient.STDOUT) {
                text.append(new String(message.payload(), StandardCharsets.UTF_8));
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"v4.channel.k8s.io", V5})
    void outputErrorAndExitCodeComeOnTheirChannels(String protocol) throws IOException {
        try (ChannelClient client = exec(protocol, false, false, "sh", "-c", "echo out; echo err >&2; exit 3")) {
            Map<Integer, String> channels = all(client);
            assertEquals("out\n", channels.get(ChannelClient.STDOUT));
            assertEquals("err\n", channels.get(ChannelClient.STDERR));
            assertTrue(channels.get(ChannelClient.ERROR).contains("\"message\":\"3\""), channels::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v4.channel.k8s.io", V5})
    void inputReachesTheCommand(String protocol) throws IOException {
        try (ChannelClient client = exec(protocol, true, false, "sh", "-c", "read line; echo got $line")) {
            client.send(ChannelClient.STDIN, "words\n".getBytes(StandardCharsets.UTF_8));
            Map<Integer, String> channels = all(client);
            assertEquals("got words\n", channels.get(ChannelClient.STDOUT));
            assertTrue(channels.get(ChannelClient.ERROR).contains("Success"), channels::toString);
        }
    }

    @Test
    void versionFiveEndsTheInputAlone() throws IOException {
        try (ChannelClient client = exec(V5, true, false, "sh", "-c", "cat; echo after the end")) {
            client.send(ChannelClient.STDIN, "typed\n".getBytes(StandardCharsets.UTF_8));
            client.closeChannel(ChannelClient.STDIN);
            assertEquals("typed\nafter the end\n", all(client).get(ChannelClient.STDOUT));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v4.channel.k8s.io", V5})
    void aTerminalHasInputAndASize(String protocol) throws IOException {
        try (ChannelClient client = exec(protocol, true, true, "sh", "-c", "while read line; do echo \"$(stty size);\"; done")) {
            client.resize(91, 17);
            String seen = "";
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (!seen.contains("17 91") && System.nanoTime() < deadline) {
                client.send(ChannelClient.STDIN, "x\n".getBytes(StandardCharsets.UTF_8));
                seen = until(client, ";");
            }
            assertTrue(seen.contains("17 91"), seen);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v4.channel.k8s.io", V5})
    void anAttachedClientTypesAndSees(String protocol) throws IOException {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true), "sh", "-c",
                "while read line; do echo got $line; done");
        try (ChannelClient client = connect(StreamingConformanceIT.attachUrl(CRI, container, true, false), protocol)) {
            client.send(ChannelClient.STDIN, "first\n".getBytes(StandardCharsets.UTF_8));
            until(client, "got first");
            client.send(ChannelClient.STDIN, "second\n".getBytes(StandardCharsets.UTF_8));
            until(client, "got second");
        }
    }

    @Test
    void muchOutputComesThroughWhole() throws IOException {
        try (ChannelClient client = exec(V5, false, false, "head", "-c", "3000000", "/dev/zero")) {
            assertEquals(3_000_000, all(client).get(ChannelClient.STDOUT).length());
        }
    }

    @Test
    void theEndOfAttachedInputIsTheContainersWithStdinOnce() throws IOException {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true).setStdinOnce(true), "sh", "-c", "cat; exit 4");
        try (ChannelClient client = connect(StreamingConformanceIT.attachUrl(CRI, container, true, false), V5)) {
            client.send(ChannelClient.STDIN, "typed\n".getBytes(StandardCharsets.UTF_8));
            until(client, "typed");
            client.closeChannel(ChannelClient.STDIN);
            assertEquals(4, CRI.ended(container).getExitCode());
        }
    }
}
