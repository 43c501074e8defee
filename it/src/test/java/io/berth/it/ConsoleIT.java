package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerStatusRequest;
import io.berth.cri.v1.KeyValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Who gets what from the console over HTTP. */
@Timeout(60)
class ConsoleIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("[console]\nenable = true\naddress = \"127.0.0.1:0\"\n");

    private record Answer(int status, String headers, String body) {}

    private Path loginFile() {
        return daemon.node().state().resolve("console.url");
    }

    private URI login() throws IOException {
        return URI.create(Files.readString(loginFile()).strip());
    }

    private String bearer() throws IOException {
        return "Authorization: Bearer " + login().getFragment();
    }

    private String host() throws IOException {
        return "Host: 127.0.0.1:" + login().getPort();
    }

    // By hand, because clients do not send another Host.
    private Answer ask(String method, String path, String... headers) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), login().getPort())) {
            String request = method + " " + path + " HTTP/1.1\r\nConnection: close\r\n" + String.join("\r\n", headers)
                    + "\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.UTF_8));
            out.flush();
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int end = answer.indexOf("\r\n\r\n");
            return new Answer(Integer.parseInt(answer.split(" ")[1]), answer.substring(0, end), answer.substring(end + 4));
        }
    }

    @Test
    void withoutTheTokenNothingOfTheNodeIsTold() throws IOException {
        String right = bearer();
        String other = right.substring(0, right.length() - 1) + (right.endsWith("A") ? "B" : "A");
        for (String path : List.of("/api/live", "/api/pods/0123456789ab", "/api/logs/0123456789ab", "/api/", "/api/anything")) {
            assertEquals(401, ask("GET", path, host()).status(), path + " without");
            assertEquals(401, ask("GET", path, host(), other).status(), path + " with another");
            assertEquals(401, ask("GET", path, host(), right + "A").status(), path + " with a longer one");
            assertEquals(401, ask("GET", path, host(), right.substring(0, right.length() - 1)).status(), path + " with a part");
            assertEquals(401, ask("GET", path, host(), other, right).status(), path + " with two");
            assertEquals(401, ask("GET", path + "?token=" + login().getFragment(), host()).status(), path + " in the address");
            assertEquals(401, ask("GET", path, host(), "Cookie: token=" + login().getFragment()).status(), path + " in a cookie");
        }
        assertEquals(404, ask("GET", "/api/pods/0123456789ab", host(), right).status());
        String log = Files.readString(daemon.node().daemonLog());
        assertTrue(log.contains("console refused a request without its token"), log);
        assertFalse(log.contains(login().getFragment()), "the token is in the log");
    }

    @Test
    void onlyGetIsAnswered() throws IOException {
        for (String method : List.of("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "get")) {
            for (String path : List.of("/", "/api/live", "/api/pods/0123456789ab")) {
                Answer answer = ask(method, path, host(), bearer());
                assertEquals(405, answer.status(), method + " " + path);
                assertTrue(answer.headers().contains("Allow: GET"), answer.headers());
            }
        }
    }

    @Test
    void aStrangersNameForThisMachineIsRefused() throws IOException {
        for (String name : List.of("evil.example", "evil.example:10280", "127.0.0.1.evil.example", "localhost.evil.example:1",
                "0.0.0.0", "127.0.0.1:80@evil.example", "[::1].evil.example", "169.254.1.1", "LOCALHOST.", "")) {
            for (String path : List.of("/", "/main.js", "/api/live")) {
                assertEquals(403, ask("GET", path, "Host: " + name, bearer()).status(), "\"" + name + "\" " + path);
            }
        }
    }

    @Test
    void twoHostsAreRefusedAndNoHostToo() throws IOException {
        assertTrue(List.of(400, 403).contains(ask("GET", "/", host(), "Host: evil.example").status()));
        assertTrue(List.of(400, 403).contains(ask("GET", "/", "Accept: text/html").status()));
    }

    @Test
    void thePageIsServedWithALockedDoor() throws IOException {
        // At the other end of a tunnel the port is another one.
        Answer page = ask("GET", "/", "Host: localhost:8080");
        assertEquals(200, page.status());
        assertFalse(page.body().contains(login().getFragment()), "the token is in the page");
        for (String header : List.of("default-src 'none'", "require-trusted-types-for 'script'", "frame-ancestors 'none'",
                "X-content-type-options: nosniff", "Referrer-policy: no-referrer", "Cache-control: no-store")) {
            assertTrue(page.headers().toLowerCase(Locale.ROOT).contains(header.toLowerCase(Locale.ROOT)), header);
        }
        assertFalse(page.headers().toLowerCase(Locale.ROOT).contains("access-control"), page.headers());
        assertEquals(404, ask("GET", "/../../etc/passwd", host()).status());
        assertEquals(404, ask("GET", "/ConsoleEdge.class", host()).status());
    }

    @Test
    void theFeedTellsOfAPodAndItsStoryHasTheSteps() throws IOException {
        TestImages.busybox(daemon);
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("told", daemon.node().logs()));
        pods.run(pod, PodClient.container("main", "sleep", "60").toBuilder().addEnvs(
                KeyValue.newBuilder().setKey("PASSWORD").setValue(ByteString.copyFromUtf8("a-secret-of-the-pod"))).build());
        List<String> kinds = new ArrayList<>();
        List<JsonNode> messages = feed(List.of("node", "pods", "usage", "findings", "event"));
        messages.forEach(message -> kinds.add(message.path("kind").asString()));
        JsonNode row = messages.get(kinds.lastIndexOf("pods")).path("pods").path(0);
        assertEquals("told", row.path("name").asString());
        assertEquals("ready", row.path("state").asString());
        assertEquals("running", row.path("containers").path(0).path("state").asString());
        assertTrue(messages.get(kinds.indexOf("usage")).path("samples").path(0).path("figures")
                .path(pod.id()).path(1).asLong() > 0);
        Answer story = ask("GET", "/api/pods/" + pod.id(), host(), bearer());
        assertEquals(200, story.status());
        assertFalse(story.body().contains("a-secret-of-the-pod"), "environment variables are told");
        List<String> steps = new ArrayList<>();
        JsonMapper.shared().readTree(story.body()).path("steps").forEach(step -> steps.add(
                step.path("operation").asString() + "/" + step.path("step").asString()));
        assertTrue(steps.containsAll(List.of("RunPodSandbox/network", "CreateContainer/runtime create",
                "StartContainer/runtime start")), steps::toString);
        pods.stop(pod);
        pods.remove(pod);
    }

    @Test
    void aLogsEndIsShownAndALinkInItsPlaceIsNot() throws IOException {
        TestImages.busybox(daemon);
        PodClient pods = daemon.pods();
        PodClient.Pod pod = pods.run(PodClient.config("talker", daemon.node().logs()));
        String id = pods.run(pod, PodClient.container("main", "sh", "-c",
                "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; echo bad >&2; echo '<b> last'"));
        pods.awaitExit(id, java.time.Duration.ofSeconds(20));
        JsonNode log = JsonMapper.shared().readTree(ask("GET", "/api/logs/" + id, host(), bearer()).body());
        List<String> lines = new ArrayList<>();
        log.path("lines").forEach(line -> lines.add(line.path("text").asString()));
        assertEquals(300, lines.size());
        assertTrue(log.path("cut").asBoolean());
        assertTrue(lines.contains("<b> last") && lines.contains("line 999") && !lines.contains("line 1"), lines::toString);
        assertEquals(1, log.path("lines").valueStream().filter(line -> line.path("err").asBoolean()).count());
        assertEquals(404, ask("GET", "/api/logs/" + id.substring(0, 12), host(), bearer()).status());
        Path file = Path.of(daemon.connection().runtime().containerStatus(
                ContainerStatusRequest.newBuilder().setContainerId(id).build()).getStatus().getLogPath());
        Files.delete(file);
        Files.createSymbolicLink(file, loginFile());
        String linked = ask("GET", "/api/logs/" + id, host(), bearer()).body();
        assertFalse(linked.contains(login().getFragment()), "a link was followed");
        assertTrue(JsonMapper.shared().readTree(linked).path("problem").asString().contains("no longer"), linked);
        pods.stop(pod);
        pods.remove(pod);
    }

    // Reads until each kind has come.
    private List<JsonNode> feed(List<String> kinds) throws IOException {
        List<JsonNode> messages = new ArrayList<>();
        var connection = login().resolve("/api/live").toURL().openConnection();
        connection.setRequestProperty("Authorization", "Bearer " + login().getFragment());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(connection.getInputStream(),
                StandardCharsets.UTF_8))) {
            List<String> missing = new ArrayList<>(kinds);
            while (!missing.isEmpty()) {
                JsonNode message = JsonMapper.shared().readTree(lines.readLine());
                messages.add(message);
                missing.remove(message.path("kind").asString());
            }
        }
        return messages;
    }

    @Test
    void theTokenIsRootsAloneAndOutlivesTheDaemon() throws Exception {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(loginFile())));
        String token = login().getFragment();
        BerthCommand.Result told = new BerthCommand(daemon).run("console");
        assertEquals(0, told.code(), told.err());
        assertEquals(login().toString(), told.out().strip());
        daemon.restart();
        assertEquals(token, login().getFragment());
        // A file that others could have read is not trusted.
        daemon.stop();
        Files.setPosixFilePermissions(loginFile(), PosixFilePermissions.fromString("rw-r--r--"));
        daemon.start();
        assertFalse(login().getFragment().equals(token), "a token that others could read is still good");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(loginFile())));
    }

    @Test
    void aNinthPageEndsTheFirst() throws Exception {
        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 9; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), login().getPort());
                open.add(socket);
                socket.getOutputStream().write(("GET /api/live HTTP/1.1\r\nConnection: close\r\n" + host() + "\r\n"
                        + bearer() + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
                // Until it is fed, so that they come in this order.
                while (socket.getInputStream().read() != '{') {
                    continue;
                }
            }
            open.getFirst().getInputStream().readAllBytes();
            assertTrue(open.getLast().getInputStream().read() >= 0, "the newest page is not fed");
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
