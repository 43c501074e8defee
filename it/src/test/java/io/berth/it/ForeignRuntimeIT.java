package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.RandomId;
import io.berth.cli.bench.BenchNetwork;
import io.berth.cli.bench.OwnContainerd;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.linux.Cgroups;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command line at another runtime's socket: the containerd that is in PATH, with directories of its own. What is plain CRI
 * works there as it does with Berth, and what is not says so.
 */
@Timeout(300)
class ForeignRuntimeIT {

    private static final String IMAGE = BusyboxImage.NAME;

    @TempDir
    private Path directory;

    private BenchNetwork network;
    private OwnContainerd containerd;
    private BerthCommand berth;

    @BeforeEach
    void start() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        network = new BenchNetwork(directory, "btf" + RandomId.hex(3), false);
        containerd = new OwnContainerd(network, "runc");
        berth = new BerthCommand(containerd::socket);
        Path image = directory.resolve("image");
        BusyboxImage.write(image, "a page of another runtime\n");
        containerd.importImage(image);
    }

    @AfterEach
    void end() throws Exception {
        if (containerd != null) {
            // Pods outlive a containerd, also one whose test failed.
            for (String pod : berth.run("pods", "-q").out().lines().toList()) {
                berth.run("stop", "-t", "0", pod);
                berth.run("rm", pod);
            }
            containerd.close();
            network.close();
            // Where containerd puts pods that name no cgroup; somebody else's is not empty.
            Cgroups.detect().removeEmpty("/k8s.io");
        }
    }

    private BerthCommand.Result ok(String... arguments) throws Exception {
        BerthCommand.Result result = berth.run(arguments);
        assertEquals(0, result.code(), () -> String.join(" ", arguments) + ": " + result);
        return result;
    }

    private String logs() {
        return directory.resolve("logs").toString();
    }

    @Test
    void whatIsPlainCriWorksAtContainerd() throws Exception {
        assertTrue(ok("version").out().contains("daemon: containerd"));
        awaitImage();
        assertEquals(new BerthCommand.Result(7, "out\n", "err\n"), berth.run("run", "--rm", "--logs", logs(), IMAGE, "sh", "-c",
                "sleep 1; echo out; echo err >&2; exit 7"));
        ok("run", "-d", "--name", "web", "--logs", logs(), IMAGE, "sh", "-c",
                "echo said; exec httpd -f -p 80 -h /www");
        assertTrue(ok("ps").out().contains("Running"));
        assertTrue(ok("pods").out().contains("web"));
        assertEquals("said\n", ok("logs", "web").out());
        assertTrue(ok("inspect", "web").out().contains("\"name\" : \"web\""));
        assertTrue(ok("stats").out().contains("web"));
        assertTrue(ok("df").out().contains("images"));
        ok("status");
        assertTrue(ok("top").out().contains("web"));
        listings();
        streams();
        attached();
        onlyBerthsOwnSaysSo();
        ok("stop", "-t", "0", "web");
        assertTrue(ok("pods").out().contains("NotReady"));
        ok("rm", "--stopped");
        assertEquals("", ok("pods", "-q").out());
        ok("rmi", IMAGE);
        assertTrue(!ok("images").out().contains("busybox"));
    }

    @Test
    void imagesComeFromARegistryToContainerd() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory.resolve("registry"))) {
            String image = registry.push("pulled");
            assertTrue(ok("pull", image).out().contains("sha256:"));
            assertTrue(ok("image", "list").out().contains("pulled"));
            BerthCommand.Result none = berth.run("pull", registry.host() + "/none:1");
            assertEquals(3, none.code(), none::toString);
            assertEquals(1, none.err().lines().count(), none::err);
            // The image is fetched by run itself where it is missing.
            ok("rmi", image);
            assertEquals("pulled\n", ok("run", "--rm", "--logs", logs(), image, "cat", "/www/index.html").out());
        }
    }

    private void listings() throws Exception {
        for (String command : new String[] {"pods -o json", "pods -o wide", "ps -o yaml", "stats -o json"}) {
            assertTrue(ok(command.split(" ")).out().contains("web"), command);
        }
        assertTrue(ok("images", "-o", "json").out().contains("busybox"));
        assertTrue(ok("inspect", ok("pods", "-q").out().strip()).out().contains("\"name\" : \"web\""));
        assertTrue(ok("inspect", IMAGE).out().contains("\"repoTags\""));
        assertEquals("", ok("logs", "--tail", "0", "web").out());
        assertEquals(3, berth.run("inspect", "nothing").code());
        assertEquals(3, berth.run("stop", "nothing").code());
    }

    private void attached() throws Exception {
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "run", "-it", "--name", "shell", "--logs", logs(), IMAGE,
                "sh", "-c", "while read x; do echo got $x; [ \"$x\" != end ] || exit 6; done")) {
            session.type("word\r");
            session.await("got word");
            session.type("\020\021");
            assertEquals(0, session.exitCode());
        }
        try (BerthCommand.Session session = berth.atTerminal(24, 80, "attach", "-it", "shell")) {
            session.type("end\r");
            session.await("got end");
            assertEquals(6, session.exitCode());
        }
        ok("rm", "-f", "shell");
    }

    private void streams() throws Exception {
        assertEquals(new BerthCommand.Result(9, "yes\n", "no\n"),
                berth.run("exec", "web", "sh", "-c", "echo yes; echo no >&2; exit 9"));
        try (BerthCommand.Session session = berth.atTerminal(31, 99, "exec", "-it", "web", "sh", "-c",
                "echo ready; read x; echo got $x;"
                        + " until [ \"$(stty size)\" = '31 99' ]; do sleep 0.1; done; stty size; exit 5")) {
            session.await("ready");
            session.type("it\r");
            session.await("got it");
            session.await("31 99");
            assertEquals(5, session.exitCode());
        }
        ok("cp", "web:/www/index.html", directory.resolve("page").toString());
        assertEquals("a page of another runtime\n", Files.readString(directory.resolve("page")));
        Process forward = berth.start("port-forward", "web", ":80");
        try (BufferedReader words = new BufferedReader(
                new InputStreamReader(forward.getInputStream(), StandardCharsets.UTF_8))) {
            String line = words.readLine();
            assertTrue(line != null && line.startsWith("forwarding 127.0.0.1:"), line);
            try (var body = URI.create("http://" + line.split(" ")[1] + "/").toURL().openStream()) {
                assertEquals("a page of another runtime\n", new String(body.readAllBytes(), StandardCharsets.UTF_8));
            }
        } finally {
            forward.destroy();
        }
    }

    private void onlyBerthsOwnSaysSo() throws Exception {
        for (String command : new String[] {"timeline web", "console", "image verify"}) {
            BerthCommand.Result result = berth.run(command.split(" "));
            assertEquals(123, result.code(), () -> command + ": " + result);
            assertEquals(1, result.err().lines().count(), result::err);
        }
    }

    // containerd's CRI plugin hears of an import a moment later.
    private void awaitImage() throws Exception {
        for (int patience = 0; patience < 50 && !ok("images").out().contains("busybox"); patience++) {
            Thread.sleep(100);
        }
    }
}
