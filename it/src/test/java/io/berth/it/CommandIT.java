package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.BusyboxImage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command line in the hands of a person: real processes, a real terminal, a real daemon. */
@Timeout(180)
class CommandIT {

    private static final String IMAGE = BusyboxImage.NAME;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @TempDir
    private Path directory;

    private final BerthCommand berth = new BerthCommand(daemon);

    @BeforeEach
    void image() {
        TestImages.busybox(daemon);
    }

    private BerthCommand.Result ok(String... arguments) throws Exception {
        BerthCommand.Result result = berth.run(arguments);
        assertEquals(0, result.code(), () -> String.join(" ", arguments) + ": " + result);
        return result;
    }

    private void web(String... command) throws Exception {
        List<String> line = new ArrayList<>(List.of("run", "-d", "--name", "web", "--logs", logs(), IMAGE));
        line.addAll(List.of(command));
        ok(line.toArray(String[]::new));
    }

    private String logs() {
        return daemon.node().logs().toString();
    }

    @Test
    void runShowsBothStreamsPassesTheExitCodeOnAndLeavesNothing() throws Exception {
        BerthCommand.Result result = berth.run("run", "--rm", "--logs", logs(), "-e", "WORD=hello", "-v",
                directory + ":/here:ro", "--memory", "64m", "--cpus", "0.5", IMAGE, "sh", "-c",
                "echo $WORD; echo bad >&2; ls -d /here; touch /here/x 2>/dev/null || echo read-only; exit 7");
        assertEquals(new BerthCommand.Result(7, "hello\n/here\nread-only\n", "bad\n"), result);
        daemon.assertNothingLeft();
        try (var left = Files.list(daemon.node().logs())) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void withoutRmThePodStaysStoppedForItsLog() throws Exception {
        assertEquals(3, berth.run("run", "--name", "job", "--logs", logs(), IMAGE, "sh", "-c", "echo done; exit 3").code());
        assertEquals("done\n", ok("logs", "job").out());
        assertEquals("NotReady", json("pods", "-o", "json").at("/items/0/state").asString().equals("SANDBOX_NOTREADY")
                ? "NotReady" : "other");
        BerthCommand.Result twice = berth.run("run", "--name", "job", "--logs", logs(), IMAGE, "true");
        assertEquals(125, twice.code());
        assertTrue(twice.err().contains("there is a pod of this name"), twice.err());
        ok("rm", "--stopped");
        daemon.assertNothingLeft();
    }

    @Test
    void aShellAtATerminalTakesKeysKnowsItsSizeAndPassesItsExitCodeOn() throws Exception {
        try (BerthCommand.Session session = berth.atTerminal(37, 101, "run", "-it", "--rm", "--logs", logs(), IMAGE, "sh", "-c",
                "echo ready; read line; echo got $line; until [ \"$(stty size)\" = '37 101' ]; do sleep 0.1; done;"
                + " stty size; read x; stty size; exit 4")) {
            session.await("ready");
            session.type("words\r");
            session.await("got words");
            session.await("37 101");
            session.type("\r");
            assertEquals(4, session.exitCode());
        }
        daemon.assertNothingLeft();
    }

    @Test
    void ctrlPCtrlQLeavesAContainerThatAttachFindsAgain() throws Exception {
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "run", "-it", "--name", "shell", "--logs", logs(), IMAGE,
                "sh", "-c", "echo ready; read a; echo first $a; read b; echo second $b; exit 6")) {
            session.await("ready");
            session.type("one\r");
            session.await("first one");
            session.type("\020\021");
            assertEquals(0, session.exitCode());
        }
        assertTrue(ok("ps").out().contains("Running"));
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "attach", "-it", "shell")) {
            // Keys go through once the terminal is raw, at the latest with the answer.
            session.type("two\r");
            session.await("second two");
            assertEquals(6, session.exitCode());
        }
        ok("rm", "-f", "shell");
        daemon.assertNothingLeft();
    }

    @Test
    void execPassesBytesTheEndOfInputAndTheExitCode() throws Exception {
        web("sleep", "1000");
        String large = "0123456789".repeat(50_000);
        assertEquals(new BerthCommand.Result(0, large, ""), berth.runWith(large, "exec", "-i", "web", "cat"));
        assertEquals(new BerthCommand.Result(9, "", "no\n"), berth.run("exec", "web", "sh", "-c", "echo no >&2; exit 9"));
        BerthCommand.Result none = berth.run("exec", "web", "/none");
        assertFalse(none.code() == 0, none::toString);
        BerthCommand.Result nobody = berth.run("exec", "nobody", "true");
        assertEquals(125, nobody.code());
        assertTrue(nobody.err().startsWith("berth: find container nobody: there is none"), nobody.err());
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "exec", "-it", "web", "sh", "-c",
                "tty; read x; echo got $x; exit 5")) {
            session.await("/dev/pts/");
            session.type("it\r");
            session.await("got it");
            assertEquals(5, session.exitCode());
        }
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void filesGoInAndOut() throws Exception {
        web("sleep", "1000");
        Path tree = Files.createDirectories(directory.resolve("tree/sub"));
        Files.writeString(tree.resolve("f"), "content");
        Files.createSymbolicLink(tree.resolve("link"), Path.of("f"));
        ok("cp", directory.resolve("tree").toString(), "web:/tmp");
        ok("cp", tree.resolve("f").toString(), "web/web:/tmp/renamed");
        assertEquals("content\ncontent\n", ok("exec", "web", "sh", "-c", "cat /tmp/tree/sub/link; echo; cat /tmp/renamed; echo")
                .out());
        BerthCommand.Result back = ok("cp", "web:/tmp/tree", directory.resolve("back").toString());
        assertEquals("content", Files.readString(directory.resolve("back/sub/f")));
        assertFalse(Files.exists(directory.resolve("back/sub/link")));
        assertTrue(back.err().contains("links, devices and pipes are not copied"), back.err());
        BerthCommand.Result none = berth.run("cp", "web:/none", directory.toString());
        assertEquals(1, none.code());
        assertTrue(none.err().contains("No such file"), none.err());
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void aForwardedPortAnswersManyConnections() throws Exception {
        web("httpd", "-f", "-p", "80", "-h", "/www");
        Process forward = berth.start("port-forward", "web", ":80");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(forward.getInputStream(), StandardCharsets.UTF_8))) {
            String line = words.readLine();
            assertTrue(line.startsWith("forwarding 127.0.0.1:"), line);
            String address = line.split(" ")[1];
            String page = ok("exec", "web", "cat", "/www/index.html").out();
            for (int i = 0; i < 5; i++) {
                try (var body = URI.create("http://" + address + "/").toURL().openStream()) {
                    assertEquals(page, new String(body.readAllBytes(), StandardCharsets.UTF_8));
                }
            }
        } finally {
            forward.destroy();
            forward.waitFor();
        }
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void aConnectionToAForwardedPortOnWhichNothingListensEnds() throws Exception {
        web("sleep", "1000");
        Process forward = berth.start("port-forward", "web", ":81");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(forward.getInputStream(), StandardCharsets.UTF_8));
                BufferedReader complaints = forward.errorReader(StandardCharsets.UTF_8)) {
            String address = words.readLine().split(" ")[1];
            try (Socket connection = new Socket("127.0.0.1", Integer.parseInt(address.split(":")[1]))) {
                connection.setSoTimeout(30_000);
                assertEquals(-1, connection.getInputStream().read());
            }
            assertTrue(complaints.readLine().contains("nothing listens on it"));
        } finally {
            forward.destroy();
            forward.waitFor();
        }
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void aForwardedConnectionEndsWithTheProgramThatEndsItWithoutAWord() throws Exception {
        web("sh", "-c", "while :; do nc -l -p 80 -e true; done");
        Process forward = berth.start("port-forward", "web", ":80");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(forward.getInputStream(), StandardCharsets.UTF_8))) {
            String address = words.readLine().split(" ")[1];
            try (Socket connection = new Socket("127.0.0.1", Integer.parseInt(address.split(":")[1]))) {
                connection.setSoTimeout(30_000);
                assertEquals(-1, connection.getInputStream().read());
            }
        } finally {
            forward.destroy();
            forward.waitFor();
        }
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void logsFollowsToTheEndAndKnowsTailAndSince() throws Exception {
        web("sh", "-c", "for i in 1 2 3; do echo line $i; done; until [ -e /tmp/go ]; do sleep 0.1; done; echo last; echo e >&2");
        Process follow = berth.start("logs", "-f", "--tail", "2", "web");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(follow.getInputStream(), StandardCharsets.UTF_8))) {
            assertEquals("line 2", words.readLine());
            assertEquals("line 3", words.readLine());
            ok("exec", "web", "touch", "/tmp/go");
            assertEquals("last", words.readLine());
            assertEquals(null, words.readLine());
            assertEquals("e\n", new String(follow.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
            assertEquals(0, follow.waitFor());
        }
        assertEquals("", ok("logs", "--since", "2100-01-01T00:00:00Z", "web").out());
        assertEquals(4, ok("logs", "--since", "1h", "web/web").out().lines().count());
        ok("rm", "-f", "web");
        daemon.assertNothingLeft();
    }

    @Test
    void listsCanBeReadByPeopleAndPrograms() throws Exception {
        web("sleep", "1000");
        assertEquals(List.of("CONTAINER", "web", "web", "Running"), List.of(words(ok("ps"), 0, 0), words(ok("ps"), 1, 1),
                words(ok("ps"), 1, 2), words(ok("ps"), 1, 3)));
        JsonNode pods = json("pods", "-o", "json");
        assertEquals("web", pods.at("/items/0/metadata/name").asString());
        String id = pods.at("/items/0/id").asString();
        assertEquals(id + "\n", ok("pods", "-q").out());
        assertTrue(ok("pods", "-o", "yaml").out().contains("id: \"" + id + "\""));
        assertTrue(ok("pods", "-o", "wide").out().contains(daemon.node().subnet().toString().replaceFirst("\\.0/.*", ".")));
        assertEquals(IMAGE, json("images", "-o", "json").at("/images/0/repoTags/0").asString());
        assertEquals("web", json("inspect", "web").at("/status/metadata/name").asString());
        assertEquals(id, json("inspect", "--pod", "default/web").at("/status/id").asString());
        assertTrue(json("inspect", "web").at("/info/info/runtimeSpec/ociVersion").isString(), "verbose parts are opened");
        assertEquals(1, json("stats", "-o", "json").at("/stats").size());
        assertTrue(ok("top", "--once").out().contains("web"));
        assertTrue(ok("df").out().contains("images and layers"));
        assertTrue(ok("timeline", "web").out().contains("RunPodSandbox"));
        assertEquals(3, berth.run("inspect", "nothing").code());
        ok("stop", "-t", "0", "web");
        assertEquals("", ok("ps", "-q").out());
        assertEquals(3, berth.run("rmi", "nothing:1").code());
        ok("rm", "web");
        daemon.assertNothingLeft();
    }

    private JsonNode json(String... arguments) throws Exception {
        return JsonMapper.shared().readTree(ok(arguments).out());
    }

    private static String words(BerthCommand.Result result, int row, int column) {
        return result.out().lines().toList().get(row).split("\\s+")[column];
    }

    @Test
    void eventsTellOfAPodsLife() throws Exception {
        Process events = berth.start("events", "-o", "json");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(events.getInputStream(), StandardCharsets.UTF_8))) {
            // A subscription begins when the daemon has it: containers come until one is told.
            Thread pods = Thread.startVirtualThread(() -> {
                try {
                    for (int i = 0; events.isAlive() && i < 20; i++) {
                        berth.run("run", "--rm", "--logs", logs(), IMAGE, "true");
                    }
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            String line = words.readLine();
            while (line != null && !line.contains("CONTAINER_STOPPED_EVENT")) {
                line = words.readLine();
            }
            events.destroy();
            pods.join();
            assertTrue(line != null, "no end was told");
        } finally {
            events.destroy();
        }
        daemon.assertNothingLeft();
    }

    @Test
    void coloursAndClearingAreForTerminalsOnly() throws Exception {
        BerthCommand.Result plain = berth.run("inspect", "nothing");
        assertFalse(plain.err().contains("\033"), plain.err());
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "inspect", "nothing")) {
            session.await("\033[31mberth:");
            assertEquals(3, session.exitCode());
        }
    }

    @Test
    void ctrlCStopsWhatRunStarted() throws Exception {
        Process run = berth.start("run", "--rm", "--logs", logs(), IMAGE, "sh", "-c",
                "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done");
        try (BufferedReader words = new BufferedReader(new InputStreamReader(run.getInputStream(), StandardCharsets.UTF_8))) {
            assertEquals("up", words.readLine());
            run.destroy();
            run.waitFor();
        }
        daemon.assertNothingLeft();
    }

    @Test
    void aUserWithoutTheRightIsToldSo() throws Exception {
        Path socket = daemon.node().socket();
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        Files.setAttribute(socket, "unix:uid", 65534);
        // Root without the right to override permissions is a user like others, who can still read this class path.
        List<String> line = new ArrayList<>(List.of("setpriv", "--bounding-set", "-dac_override,-dac_read_search"));
        line.addAll(BerthCommand.line("ps", "--socket", socket.toString()));
        Process user = new ProcessBuilder(line).redirectErrorStream(true).start();
        String words = new String(user.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(122, user.waitFor(), words);
        assertTrue(words.contains("permission denied: use sudo"), words);
    }

    @Test
    void aDaemonThatHangsIsToldFromOneThatIsDown() throws Exception {
        new ProcessBuilder("kill", "-STOP", Integer.toString(daemon.pid())).start().waitFor();
        BerthCommand.Result hung;
        try {
            hung = berth.run("ps", "--timeout", "1");
        } finally {
            new ProcessBuilder("kill", "-CONT", Integer.toString(daemon.pid())).start().waitFor();
        }
        assertEquals(121, hung.code(), hung::toString);
        assertTrue(hung.err().contains("hangs"), hung.err());
        daemon.stop();
        assertEquals(120, berth.run("ps").code());
        daemon.start();
        ok("ps");
    }
}
