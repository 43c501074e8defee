package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.AttachRequest;
import io.berth.cri.v1.ExecRequest;
import io.berth.streaming.client.SpdyClient;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Exec and attach over SPDY, as the kubelet asks for them. */
@Timeout(120)
class StreamingConformanceIT {

    private static final String PROTOCOL = "v4.channel.k8s.io";

    @RegisterExtension
    static final Cri CRI = new Cri();

    /** A session with all its streams; {@code err} is absent on a terminal. */
    record Session(SpdyClient client, SpdyClient.Stream error, SpdyClient.Stream in, SpdyClient.Stream out, SpdyClient.Stream err,
            SpdyClient.Stream resize) implements AutoCloseable {

        static Session open(String url, boolean stdin, boolean tty) throws Exception {
            SpdyClient client = new SpdyClient(URI.create(url), PROTOCOL).reading();
            assertTrue(client.response.getFirst().contains(" 101 "), client.response::toString);
            return new Session(client, client.open("error"), stdin ? client.open("stdin") : null, client.open("stdout"),
                    tty ? null : client.open("stderr"), tty ? client.open("resize") : null);
        }

        /** Reads until the text so far holds {@code wanted}. */
        String until(String wanted) throws InterruptedException {
            StringBuilder text = new StringBuilder();
            while (text.indexOf(wanted) < 0) {
                byte[] next = out.next();
                if (next == null) {
                    throw new AssertionError("\"" + wanted + "\" does not come; there is: " + text);
                }
                text.append(new String(next, StandardCharsets.UTF_8));
            }
            return text.toString();
        }

        @Override
        public void close() throws IOException {
            client.close();
        }
    }

    static String execUrl(Cri cri, String container, boolean stdin, boolean tty, String... command) {
        return cri.runtime().exec(ExecRequest.newBuilder().setContainerId(container).addAllCmd(List.of(command)).setStdin(stdin)
                .setStdout(true).setStderr(!tty).setTty(tty).build()).getUrl();
    }

    static String attachUrl(Cri cri, String container, boolean stdin, boolean tty) {
        return cri.runtime().attach(AttachRequest.newBuilder().setContainerId(container).setStdin(stdin).setStdout(true)
                .setStderr(!tty).setTty(tty).build()).getUrl();
    }

    private static Session exec(boolean stdin, boolean tty, String... command) throws Exception {
        return Session.open(execUrl(CRI, CRI.sleeper(CRI.pod()), stdin, tty, command), stdin, tty);
    }

    @Test
    void bothOutputsComeOnTheirStreams() throws Exception {
        try (Session session = exec(false, false, "sh", "-c", "echo out; echo err >&2")) {
            assertEquals("out\n", session.out.text());
            assertEquals("err\n", session.err.text());
            assertTrue(session.error.text().contains("Success"));
        }
    }

    @Test
    void theExitCodeComesOnTheErrorStream() throws Exception {
        try (Session session = exec(false, false, "sh", "-c", "exit 42")) {
            String status = session.error.text();
            assertTrue(status.contains("NonZeroExitCode"), status);
            assertTrue(status.contains("\"message\":\"42\""), status);
        }
    }

    @Test
    void theEndOfTheInputIsTheCommandsEndOfFile() throws Exception {
        try (Session session = exec(true, false, "sh", "-c", "cat; echo after the end")) {
            session.client.send(session.in, "typed\n");
            session.client.end(session.in);
            assertEquals("typed\nafter the end\n", session.out.text());
            assertTrue(session.error.text().contains("Success"));
        }
    }

    @Test
    void muchInputAndOutputComesThroughWhole() throws Exception {
        try (Session session = exec(true, false, "md5sum")) {
            byte[] block = "0123456789abcdef".repeat(2048).getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 64; i++) {
                session.client.send(session.in, block, false);
            }
            session.client.end(session.in);
            var digest = java.security.MessageDigest.getInstance("MD5");
            for (int i = 0; i < 64; i++) {
                digest.update(block);
            }
            assertEquals(java.util.HexFormat.of().formatHex(digest.digest()) + "  -\n", session.out.text());
        }
        try (Session session = exec(false, false, "head", "-c", "3000000", "/dev/zero")) {
            assertEquals(3_000_000, session.out.readAll().length);
        }
    }

    @Test
    void aTerminalIsATerminal() throws Exception {
        try (Session session = exec(true, true, "sh", "-c", "tty; read line; echo got $line")) {
            session.until("/dev/pts/");
            session.client.send(session.in, "some words\n");
            assertTrue(session.until("got some words").contains("got some words"));
            assertTrue(session.error.text().contains("Success"));
        }
    }

    @Test
    void aTerminalsSizeFollowsTheClients() throws Exception {
        try (Session session = exec(true, true, "sh", "-c", "while read line; do echo \"$(stty size);\"; done")) {
            session.client.send(session.resize, "{\"Width\":91,\"Height\":17}");
            // The size and the line travel on two streams: ask until it is there.
            long deadline = System.nanoTime() + 20_000_000_000L;
            String seen = "";
            while (!seen.contains("17 91") && System.nanoTime() < deadline) {
                session.client.send(session.in, "x\n");
                seen = session.until(";");
            }
            assertTrue(seen.contains("17 91"), seen);
        }
    }

    @Test
    void interruptReachesTheProgramOfATerminal() throws Exception {
        try (Session session = exec(true, true, "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done")) {
            session.until("ready");
            session.client.send(session.in, "\u0003");
            session.until("caught");
            assertTrue(session.error.text().contains("\"message\":\"9\""));
        }
    }

    @Test
    void aProgramThatIsNotThereIsAnErrorOfTheStream() throws Exception {
        try (Session session = exec(false, false, "/no/such/program")) {
            String status = session.error.text();
            assertTrue(status.contains("Failure"), status);
        }
    }

    @Test
    void aUrlWorksOnce() throws Exception {
        String url = execUrl(CRI, CRI.sleeper(CRI.pod()), false, false, "true");
        try (Session session = Session.open(url, false, false)) {
            assertTrue(session.error.text().contains("Success"));
        }
        try (SpdyClient second = new SpdyClient(URI.create(url), PROTOCOL)) {
            assertTrue(second.response.getFirst().contains(" 404 "), second.response::toString);
        }
    }

    @Test
    void whatCannotBeStreamedIsRefusedBefore() {
        var pod = CRI.pod();
        String container = CRI.sleeper(pod);
        Cri.refused(() -> execUrl(CRI, "no-such-container", false, false, "true"));
        Cri.refused(() -> attachUrl(CRI, "no-such-container", false, false));
        // A terminal has one output only; a stream of nothing is none.
        Cri.refused(() -> CRI.runtime().exec(ExecRequest.newBuilder().setContainerId(container).addCmd("true").setTty(true)
                .setStdout(true).setStderr(true).build()));
        Cri.refused(() -> CRI.runtime().exec(ExecRequest.newBuilder().setContainerId(container).addCmd("true").build()));
        String ended = CRI.run(pod, config -> { }, "true");
        CRI.ended(ended);
        Cri.refused(() -> execUrl(CRI, ended, false, false, "true"));
        Cri.refused(() -> attachUrl(CRI, ended, false, false));
    }

    @Test
    void whatAClientLeavesBehindIsEnded() throws Exception {
        CRI.onlyOnBerth("others let the process of a client that has gone run on");
        String container = CRI.sleeper(CRI.pod());
        try (Session session = Session.open(execUrl(CRI, container, false, false, "sh", "-c", "echo up; exec sleep 5555"), false, false)) {
            session.until("up");
        }
        Cri.await("the end of the process", () -> !CRI.out(container, "ps").contains("sleep 5555"));
    }

    @Test
    void anAttachedClientSeesWhatIsPrintedFromThenOn() throws Exception {
        String container = CRI.run(CRI.pod(), config -> { }, "sh", "-c",
                "while :; do echo out; echo err >&2; sleep 0.05; done");
        try (Session session = Session.open(attachUrl(CRI, container, false, false), false, false)) {
            session.until("out\n");
            assertTrue(new String(session.err.next(), StandardCharsets.UTF_8).contains("err\n"));
        }
        assertEquals(io.berth.cri.v1.ContainerState.CONTAINER_RUNNING, CRI.status(container).getState());
    }

    @Test
    void anAttachedClientTypesToTheContainer() throws Exception {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true), "sh", "-c", "while read line; do echo got $line; done");
        for (String word : List.of("first", "second")) {
            // The input stays open between clients, since stdin_once is not set.
            try (Session session = Session.open(attachUrl(CRI, container, true, false), true, false)) {
                session.client.send(session.in, word + "\n");
                session.until("got " + word);
            }
        }
    }

    @Test
    void stdinOnceEndsWithTheFirstClientsInput() throws Exception {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true).setStdinOnce(true), "sh", "-c",
                "cat; echo after; exit 4");
        try (Session session = Session.open(attachUrl(CRI, container, true, false), true, false)) {
            session.client.send(session.in, "typed\n");
            session.until("typed");
            session.client.end(session.in);
            session.until("after");
        }
        assertEquals(4, CRI.ended(container).getExitCode());
    }

    @Test
    void aContainersTerminalIsAttachedWithInputAndSize() throws Exception {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true).setTty(true), "sh", "-c",
                "while read line; do echo \"$(stty size);\"; done");
        try (Session session = Session.open(attachUrl(CRI, container, true, true), true, true)) {
            session.client.send(session.resize, "{\"Width\":101,\"Height\":33}");
            long deadline = System.nanoTime() + 20_000_000_000L;
            String seen = "";
            while (!seen.contains("33 101") && System.nanoTime() < deadline) {
                session.client.send(session.in, "x\n");
                seen = session.until(";");
            }
            assertTrue(seen.contains("33 101"), seen);
        }
    }

    @Test
    void twoClientsSeeTheSame() throws Exception {
        String container = CRI.run(CRI.pod(), config -> { }, "sh", "-c", "while :; do echo tick; sleep 0.05; done");
        try (Session first = Session.open(attachUrl(CRI, container, false, false), false, false);
                Session second = Session.open(attachUrl(CRI, container, false, false), false, false)) {
            first.until("tick");
            second.until("tick");
        }
    }

    @Test
    void theEndOfTheContainerEndsTheAttachedClient() throws Exception {
        String container = CRI.run(CRI.pod(), config -> config.setStdin(true), "sh", "-c", "read line; echo bye");
        try (Session session = Session.open(attachUrl(CRI, container, true, false), true, false)) {
            session.client.send(session.in, "go\n");
            assertEquals("bye\n", session.out.text());
        }
    }

    @Test
    void aGarbledTokenIsNotFound() {
        String url = execUrl(CRI, CRI.sleeper(CRI.pod()), false, false, "true");
        IOException failure = assertThrows(IOException.class, () -> {
            String other = url.substring(0, url.length() - 2) + "zz";
            try (SpdyClient client = new SpdyClient(URI.create(other), PROTOCOL)) {
                throw new IOException(client.response.getFirst());
            }
        });
        assertTrue(failure.getMessage().contains(" 404 "), failure.getMessage());
        assertFalse(url.isEmpty());
    }
}
