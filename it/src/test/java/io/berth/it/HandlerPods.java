package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.AttachRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What every handler does alike: commands, attach, stop signals; and what its tests need. Each test ends its pod by
 * {@link #end}, which also looks for what is left of it.
 */
abstract class HandlerPods {

    @RegisterExtension
    final TestDaemon daemon;

    /** @param configuration makes the handler the default one */
    HandlerPods(String configuration) {
        daemon = TestDaemon.with(configuration);
    }

    /** Ends the pod, twice, and finds nothing of it. */
    abstract void end(PodClient.Pod pod);

    /** Whether the end of a command at its limit is also that of what it has started. */
    boolean endsWhatCommandsStart() {
        return true;
    }

    PodClient.Pod pod() {
        TestImages.busybox(daemon);
        return daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
    }

    String out(String container, String... command) {
        var answer = daemon.pods().exec(container, command);
        assertEquals(0, answer.getExitCode(), answer.getStderr().toStringUtf8());
        return answer.getStdout().toStringUtf8();
    }

    List<String> log(String name) {
        return daemon.log("pod", name).lines().map(line -> line.substring(line.indexOf(' ') + 1)).toList();
    }

    /** What a web server answers. */
    static String page(String address) throws Exception {
        for (int attempt = 0; ; attempt++) {
            try (var body = URI.create("http://" + address + "/").toURL().openStream()) {
                return new String(body.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException notYet) {
                if (attempt == 50) {
                    throw notYet;
                }
                Thread.sleep(100);
            }
        }
    }

    /** What a web server at port 8080 of a pod answers by port-forward. */
    String forwardedPage(PodClient.Pod pod) throws Exception {
        Process forward = new BerthCommand(daemon).start("port-forward", pod.id(), ":8080");
        try (var words = forward.inputReader(StandardCharsets.UTF_8)) {
            String line = words.readLine();
            assertTrue(line != null && line.startsWith("forwarding 127.0.0.1:"), line);
            return page(line.split(" ")[1]);
        } finally {
            forward.destroy();
        }
    }

    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what + " has not come");
            Thread.sleep(20);
        }
    }

    static ChannelClient connect(String url) throws IOException {
        return ChannelClient.connect(URI.create(url), List.of("v5.channel.k8s.io"), SocketFactory.getDefault());
    }

    static String text(ChannelClient client, int channel, String until) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf(until) < 0) {
            var message = client.receive();
            assertTrue(message.isPresent(), "the connection ended after " + text);
            if (message.get().channel() == channel) {
                text.append(new String(message.get().payload(), StandardCharsets.UTF_8));
            }
        }
        return text.toString();
    }

    @Test
    void commandsTellTheirOutputAndExitCodeAndAreEndedAtTheirLimit() {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        var answer = daemon.pods().exec(container, "sh", "-c", "echo out; echo err >&2; exit 3");
        assertEquals(3, answer.getExitCode());
        assertEquals("out\n", answer.getStdout().toStringUtf8());
        assertEquals("err\n", answer.getStderr().toStringUtf8());
        assertEquals(300_000, out(container, "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x").length());
        StatusRuntimeException none = assertThrows(StatusRuntimeException.class, () -> daemon.pods().exec(container, "no-such"));
        assertEquals(Status.Code.INVALID_ARGUMENT, none.getStatus().getCode(), none.getMessage());
        StatusRuntimeException slow = assertThrows(StatusRuntimeException.class, () -> daemon.connection().runtime().execSync(
                ExecSyncRequest.newBuilder().setContainerId(container).setTimeout(1)
                        .addCmd("sh").addCmd("-c").addCmd("sleep 77 & sleep 88").build()));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, slow.getStatus().getCode(), slow.getMessage());
        String processes = out(container, "ps");
        assertTrue(!processes.contains("sh -c"), processes);
        assertEquals(!endsWhatCommandsStart(), processes.contains("sleep 77") || processes.contains("sleep 88"), processes);
        assertTrue(processes.contains("sleep 1000"), processes);
        end(pod);
    }

    @Test
    void aClientAttachesToTheContainersOwnProcess() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c",
                "while read word; do echo got $word; done; echo end").toBuilder().setStdin(true).setStdinOnce(true).build());
        String url = daemon.connection().runtime().attach(AttachRequest.newBuilder().setContainerId(container)
                .setStdin(true).setStdout(true).setStderr(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            client.send(ChannelClient.STDIN, "hello\n".getBytes(StandardCharsets.UTF_8));
            assertEquals("got hello\n", text(client, ChannelClient.STDOUT, "\n"));
        }
        // Its input ends with its first client.
        assertEquals(0, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        assertEquals(List.of("stdout F got hello", "stdout F end"), log("c"));
        end(pod);
    }

    @Test
    void aStopSignalIsHeardAndAfterTheGracePeriodTheContainerIsKilled() throws InterruptedException {
        PodClient.Pod pod = pod();
        String polite = daemon.pods().run(pod, PodClient.container("polite", "sh", "-c",
                "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done"));
        String deaf = daemon.pods().run(pod, PodClient.container("deaf", "sh", "-c",
                "trap '' TERM; echo up; while :; do sleep 0.1; done"));
        await("both", () -> log("polite").contains("stdout F up") && log("deaf").contains("stdout F up"));
        var runtime = daemon.connection().runtime();
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(polite).setTimeout(20).build());
        assertEquals(3, daemon.pods().status(polite).getExitCode());
        assertTrue(log("polite").contains("stdout F bye"));
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(deaf).setTimeout(1).build());
        assertEquals(137, daemon.pods().status(deaf).getExitCode());
        end(pod);
    }
}
