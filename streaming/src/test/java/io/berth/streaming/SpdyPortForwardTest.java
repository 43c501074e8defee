package io.berth.streaming;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.streaming.client.SpdyClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SpdyPortForwardTest extends StreamingFixture {

    private record Pair(SpdyClient.Stream error, SpdyClient.Stream data) {}

    private SpdyClient connect() throws Exception {
        SpdyClient client = new SpdyClient(server.portForward(new PortForwardRequest("p1", List.of())), "portforward.k8s.io");
        assertStatus(client.response.getFirst(), 101);
        return client.reading();
    }

    private static Pair pair(SpdyClient client, int port, String id) throws Exception {
        SpdyClient.Stream error = client.open(Map.of("streamtype", "error", "port", "" + port, "requestid", id));
        client.end(error);
        return new Pair(error, client.open(Map.of("streamtype", "data", "port", "" + port, "requestid", id)));
    }

    @Test
    void manyConnectionsShareASession() throws Exception {
        try (SpdyClient client = connect()) {
            List<Pair> pairs = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                pairs.add(pair(client, 80 + i, "" + i));
            }
            for (int i = 0; i < 20; i++) {
                client.send(pairs.get(i).data, "ping " + i);
            }
            for (int i = 0; i < 20; i++) {
                client.end(pairs.get(i).data);
                assertEquals((80 + i) + ":ping " + i, pairs.get(i).data.text());
                assertEquals("", pairs.get(i).error.text());
            }
        }
    }

    @Test
    void moreConnectionsThanTheLimitPassOneAfterTheOther() throws Exception {
        try (SpdyClient client = connect()) {
            for (int i = 0; i < 600; i++) {
                Pair pair = pair(client, 80, "" + i);
                client.end(pair.data);
                assertEquals("80:", pair.data.text());
            }
        }
    }

    @Test
    void tooManyConnectionsAtOnceAreRefused() throws Exception {
        try (SpdyClient client = connect()) {
            for (int i = 0; i < 512; i++) {
                pair(client, 80, "" + i);
            }
            client.openWithoutReply(Map.of("streamtype", "error", "port", "80", "requestid", "one more"));
            assertEquals(2 * 1024 + 1, client.resets.poll(5, TimeUnit.SECONDS));
        }
        eventually("all end", () -> target.running.get() == 0);
    }

    @Test
    void aRefusedPortIsToldOnTheErrorStreamAndTheSessionGoesOn() throws Exception {
        try (SpdyClient client = connect()) {
            Pair refused = pair(client, 9, "1");
            assertEquals("error forwarding port 9 to pod p1: connection refused", refused.error.text());
            Pair fine = pair(client, 80, "2");
            client.end(fine.data);
            assertEquals("80:", fine.data.text());
        }
    }

    @Test
    void aResetConnectionIsReportedAndTheOthersGoOn() throws Exception {
        try (SpdyClient client = connect()) {
            Pair first = pair(client, 81, "1");
            Pair second = pair(client, 82, "2");
            assertEquals("81:", new String(first.data.next()));
            client.reset(first.data);
            assertEquals("closed 81", target.events.poll(5, TimeUnit.SECONDS));
            client.end(second.data);
            assertEquals("82:", second.data.text());
        }
    }

    @Test
    void clientsWithoutRequestIdsArePairedByStreamIds() throws Exception {
        try (SpdyClient client = connect()) {
            client.open(Map.of("streamtype", "error", "port", "80"));
            SpdyClient.Stream data = client.open(Map.of("streamtype", "data", "port", "80"));
            client.end(data);
            assertEquals("80:", data.text());
        }
    }

    @Test
    void badPortsAndKindsAreRefused() throws Exception {
        try (SpdyClient client = connect()) {
            int id = 1;
            for (String port : List.of("0", "65536", "-1", "http", "")) {
                client.openWithoutReply(Map.of("streamtype", "data", "port", port, "requestid", "1"));
                assertEquals(id, client.resets.poll(5, TimeUnit.SECONDS));
                id += 2;
            }
            client.openWithoutReply(Map.of("streamtype", "stdin", "port", "80", "requestid", "1"));
            assertEquals(id, client.resets.poll(5, TimeUnit.SECONDS));
        }
    }

    @Test
    void aVanishedClientEndsAllItsConnections() throws Exception {
        SpdyClient client = connect();
        pair(client, 81, "1");
        pair(client, 82, "2");
        eventually("running", () -> target.running.get() == 2);
        client.close();
        eventually("ended", () -> target.running.get() == 0);
        eventually("both told", () -> target.events.contains("closed 81") && target.events.contains("closed 82"));
    }
}
