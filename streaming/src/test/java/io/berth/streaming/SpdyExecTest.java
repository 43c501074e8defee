package io.berth.streaming;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.streaming.client.SpdyClient;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SpdyExecTest extends StreamingFixture {

    private record Session(SpdyClient client, SpdyClient.Stream error, SpdyClient.Stream in, SpdyClient.Stream out, SpdyClient.Stream err) {}

    private Session open(ExecRequest request, String protocol) throws Exception {
        SpdyClient client = new SpdyClient(server.exec(request), protocol).reading();
        assertStatus(client.response.getFirst(), 101);
        return new Session(client, client.open("error"), client.open("stdin"), client.open("stdout"), client.open("stderr"));
    }

    @Test
    void standardInputComesBackAndTheEndOfInputEndsTheCommand() throws Exception {
        Session s = open(exec("cat"), "v4.channel.k8s.io");
        s.client.send(s.in, "hello ");
        s.client.send(s.in, "world");
        s.client.end(s.in);
        assertEquals("hello world", s.out.text());
        assertEquals("", s.err.text());
        assertEquals("{\"metadata\":{},\"status\":\"Success\"}", s.error.text());
        eventually("go away", () -> s.client.goneAway && s.client.ended);
        s.client.close();
        eventually("connection ends", () -> server.connections() == 1);
    }

    @Test
    void anExitCodeComesAsStatusOnTheErrorStream() throws Exception {
        Session s = open(exec("both"), "v4.channel.k8s.io");
        assertEquals("out", s.out.text());
        assertEquals("err", s.err.text());
        assertEquals(
                "{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: error"
                        + " executing command [both], exit code 3\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":"
                        + "[{\"reason\":\"ExitCode\",\"message\":\"3\"}]}}",
                s.error.text());
        s.client.close();
    }

    @Test
    void beforeVersionFourTheErrorIsTextAndSuccessIsSilent() throws Exception {
        Session failing = open(exec("both"), "v2.channel.k8s.io");
        assertTrue(failing.error.text().endsWith("exit code 3"));
        failing.client.close();
        Session fine = open(exec("cat"), "v3.channel.k8s.io");
        fine.client.end(fine.in);
        assertEquals("", fine.error.text());
        fine.client.close();
    }

    @Test
    void aFaultOfTheRuntimeIsAnInternalError() throws Exception {
        Session s = open(exec("fail"), "v4.channel.k8s.io");
        String status = s.error.text();
        assertTrue(status.contains("\"reason\":\"InternalError\""), status);
        assertTrue(status.contains("exec c1: container is \\\"paused\\\""), status);
        s.client.close();
    }

    @Test
    void theFirstKnownProtocolOfTheClientIsChosenAndNoneIsRefusedWithTheList() throws Exception {
        try (SpdyClient client = new SpdyClient(server.exec(exec("cat")), "v9.channel.k8s.io", "v3.channel.k8s.io, v4.channel.k8s.io")) {
            assertTrue(client.response.stream().anyMatch("x-stream-protocol-version: v3.channel.k8s.io"::equalsIgnoreCase));
        }
        try (SpdyClient client = new SpdyClient(server.exec(exec("cat")), "v5.channel.k8s.io")) {
            assertStatus(client.response.getFirst(), 403);
            assertEquals(4, client.response.stream().filter(l -> l.toLowerCase().startsWith("x-accepted-stream-protocol-versions:")).count());
        }
        try (SpdyClient client = new SpdyClient(server.exec(exec("cat")))) {
            assertStatus(client.response.getFirst(), 400);
        }
    }

    @Test
    void terminalSizesArriveAlsoWhenCutIntoPieces() throws Exception {
        SpdyClient client = new SpdyClient(server.exec(terminal("sizes")), "v4.channel.k8s.io").reading();
        client.open("error");
        client.open("stdin");
        SpdyClient.Stream out = client.open("stdout");
        SpdyClient.Stream resize = client.open("resize");
        client.send(resize, "{\"Width\":80,");
        client.send(resize, "\"Height\":24}\n");
        assertEquals("80x24 ", new String(out.next()));
        client.send(resize, "{\"Width\":100,\"Height\":40}{\"Width\":1,\"Height\":1}");
        assertTrue(out.text().endsWith("1x1 "));
        client.close();
    }

    @Test
    void tenMebibytesPassThroughASlowConsumer() throws Exception {
        target.slowness = 1;
        Session s = open(exec("count"), "v4.channel.k8s.io");
        byte[] block = new byte[32 * 1024];
        for (int i = 0; i < 320; i++) {
            s.client.send(s.in, block, i == 319);
        }
        assertEquals("10485760", s.out.text());
        s.client.close();
    }

    @Test
    void bytesComeBackAsTheyWent() throws Exception {
        Session s = open(exec("cat"), "v4.channel.k8s.io");
        byte[] sent = new byte[3_000_000];
        new Random(1).nextBytes(sent);
        Thread.ofVirtual().start(() -> {
            try {
                s.client.send(s.in, sent, true);
            } catch (java.io.IOException broken) {
                throw new AssertionError(broken);
            }
        });
        assertArrayEquals(sent, s.out.readAll());
        s.client.close();
    }

    @Test
    void aClientThatDoesNotReadStopsTheProcessAndReadingOnLetsItGoOn() throws Exception {
        SpdyClient client = new SpdyClient(server.exec(exec("yes")), "v4.channel.k8s.io");
        for (String type : new String[] {"error", "stdin", "stdout", "stderr"}) {
            client.openWithoutReply(Map.of("streamtype", type));
        }
        while (target.events.poll(1, TimeUnit.SECONDS) != null) {}
        assertNull(target.events.poll(500, TimeUnit.MILLISECONDS));
        client.reading();
        assertEquals("wrote", target.events.poll(5, TimeUnit.SECONDS));
        client.close();
    }

    @Test
    void aVanishedClientIsReportedAndNothingStays() throws Exception {
        Session s = open(exec("wait"), "v4.channel.k8s.io");
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        s.client.close();
        assertEquals("gone", target.events.poll(5, TimeUnit.SECONDS));
        eventually("connection ends", () -> server.connections() == 1 && target.running.get() == 0);
    }

    @Test
    void inputThatNobodyReadsIsHeldBackAndAVanishedClientStillNoticed() throws Exception {
        Session s = open(exec("wait"), "v4.channel.k8s.io");
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        assertHeldBack(mebibyte -> s.client.send(s.in, mebibyte, false));
        s.client.close();
        assertEquals("gone", target.events.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void aClientThatOpensTooFewStreamsIsToldAndLeft() throws Exception {
        settings(StreamingSettings.defaults().withTimeouts(Duration.ofHours(1), Duration.ofMillis(300), Duration.ofMinutes(1)));
        SpdyClient client = new SpdyClient(server.exec(exec("cat")), "v4.channel.k8s.io").reading();
        SpdyClient.Stream error = client.open("error");
        assertTrue(error.text().contains("timed out waiting for client to create streams"));
        eventually("end", () -> client.ended);
        client.close();
    }

    @Test
    void anIdleSessionEnds() throws Exception {
        settings(StreamingSettings.defaults().withTimeouts(Duration.ofMillis(300), Duration.ofSeconds(30), Duration.ofMinutes(1)));
        Session s = open(exec("wait"), "v4.channel.k8s.io");
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        assertEquals("gone", target.events.poll(5, TimeUnit.SECONDS));
        s.client.close();
    }

    @Test
    void pingsAreAnsweredAndWindowUpdatesAndSettingsIgnored() throws Exception {
        Session s = open(exec("cat"), "v4.channel.k8s.io");
        s.client.raw(0x80030009, 8, s.in.id, 65536);
        s.client.raw(0x80030004, 12, 1, 4, 100);
        s.client.ping(7);
        assertEquals(7, s.client.pings.poll(5, TimeUnit.SECONDS));
        s.client.end(s.in);
        assertEquals("", s.out.text());
        s.client.close();
    }

    @Test
    void aSecondStreamOfAKindAndAnUnknownKindAreRefused() throws Exception {
        SpdyClient client = new SpdyClient(server.exec(exec("cat")), "v4.channel.k8s.io").reading();
        client.open("error");
        assertEquals(3, client.open("error").id);
        assertEquals(3, client.resets.poll(5, TimeUnit.SECONDS));
        client.open("surprise");
        assertEquals(5, client.resets.poll(5, TimeUnit.SECONDS));
        client.close();
    }

    @Test
    void garbageAfterTheUpgradeEndsTheSession() throws Exception {
        Random random = new Random(7);
        for (int round = 0; round < 50; round++) {
            try (SpdyClient client = new SpdyClient(server.exec(exec("wait")), "v4.channel.k8s.io").reading()) {
                byte[] garbage = new byte[4096];
                random.nextBytes(garbage);
                garbage[0] |= (byte) 0x80;
                client.socket.getOutputStream().write(garbage);
                client.socket.shutdownOutput();
                eventually("end", () -> client.ended);
            } catch (java.io.IOException reset) {
                // As good an end as any.
            }
        }
        eventually("connections end", () -> server.connections() == 1);
    }

    @Test
    void aHugeHeaderBlockIsRefused() throws Exception {
        SpdyClient client = new SpdyClient(server.exec(exec("cat")), "v4.channel.k8s.io").reading();
        client.openWithoutReply(Map.of("streamtype", "x".repeat(20_000)));
        assertEquals(1, client.resets.poll(5, TimeUnit.SECONDS));
        client.close();
    }

    @Test
    void closingTheServerEndsItsSessions() throws Exception {
        Session s = open(exec("wait"), "v4.channel.k8s.io");
        assertEquals("waiting", target.events.poll(5, TimeUnit.SECONDS));
        server.close();
        assertEquals("gone", target.events.poll(5, TimeUnit.SECONDS));
        eventually("client sees the end", () -> s.client.ended);
    }
}
