package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.AttachRequest;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.Int64Value;
import io.berth.cri.v1.KeyValue;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxStatusRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What every way to gVisor does alike, beside what every handler does. */
abstract class GvisorPods extends HandlerPods {

    /** @param configuration makes the handler the default one */
    GvisorPods(String configuration) {
        super(configuration);
    }

    @Test
    void aPodRunsAContainerUnderGvisorsKernelWhoseLogAndExitCodeAreKept() throws IOException {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("main", "sh", "-c",
                "cat /proc/version; echo err >&2; printf half; exit 7"));
        assertEquals(7, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        List<String> log = log("main");
        assertTrue(log.contains("stderr F err") && log.contains("stdout P half"), log.toString());
        String here = Files.readString(Path.of("/proc/version"));
        assertTrue(log.stream().noneMatch(line -> line.equals("stdout F " + here.strip())), "it is the node's kernel: " + log);
        assertTrue(log.stream().anyMatch(line -> line.startsWith("stdout F Linux version ")), log.toString());
        end(pod);
    }

    @Test
    void aProgramThatIsNotThereIsTheClientsMistake() {
        PodClient.Pod pod = pod();
        StatusRuntimeException none = assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().run(pod, PodClient.container("c", "no-such")));
        assertEquals(Status.Code.INVALID_ARGUMENT, none.getStatus().getCode(), none.getMessage());
        end(pod);
    }

    @Test
    void aCommandStreamsItsInputAndOutput() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "read word; echo got $word; exit 5")).setStdin(true).setStdout(true)
                .setStderr(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            client.send(ChannelClient.STDIN, "hello\n".getBytes(StandardCharsets.UTF_8));
            assertEquals("got hello\n", text(client, ChannelClient.STDOUT, "\n"));
            assertTrue(text(client, ChannelClient.ERROR, "}").contains("\"5\""));
        }
        String terminal = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "trap 'echo caught; exit 9' INT;"
                        + " until [ \"$(stty size)\" = '42 101' ]; do sleep 0.1; done; stty size; while :; do sleep 0.1; done"))
                .setTty(true).setStdin(true).setStdout(true).build()).getUrl();
        try (ChannelClient client = connect(terminal)) {
            client.send(ChannelClient.RESIZE, "{\"Width\":101,\"Height\":42}".getBytes(StandardCharsets.UTF_8));
            assertTrue(text(client, ChannelClient.STDOUT, "101").contains("42 101"));
            client.send(ChannelClient.STDIN, new byte[] {3});
            assertTrue(text(client, ChannelClient.STDOUT, "caught").contains("caught"));
            assertTrue(text(client, ChannelClient.ERROR, "}").contains("\"9\""));
        }
        end(pod);
    }

    @Test
    void aContainerOnATerminalIsSpokenToByAttach() throws Exception {
        PodClient.Pod pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sh", "-c", "read word; echo got $word; exit 4")
                .toBuilder().setStdin(true).setTty(true).build());
        String url = daemon.connection().runtime().attach(AttachRequest.newBuilder().setContainerId(container)
                .setStdin(true).setStdout(true).setTty(true).build()).getUrl();
        try (ChannelClient client = connect(url)) {
            client.send(ChannelClient.STDIN, "hello\n".getBytes(StandardCharsets.UTF_8));
            assertTrue(text(client, ChannelClient.STDOUT, "got hello").contains("got hello"));
        }
        assertEquals(4, daemon.pods().awaitExit(container, Duration.ofSeconds(20)).getExitCode());
        end(pod);
    }

    @Test
    void theContainersOfAPodShareItsNetworkAndVolumesAlsoAfterOneIsStartedAgain() throws Exception {
        PodClient.Pod pod = pod();
        Path volume = Files.createDirectory(daemon.node().directory().resolve("volume"));
        Mount mount = Mount.newBuilder().setHostPath(volume.toString()).setContainerPath("/data").build();
        ContainerConfig web = PodClient.container("web", "httpd", "-f", "-p", "80", "-h", "/www");
        String server = daemon.pods().run(pod, web.toBuilder().addMounts(mount).build());
        String client = daemon.pods().run(pod, PodClient.container("client", "sleep", "1000").toBuilder().addMounts(mount)
                .addEnvs(KeyValue.newBuilder().setKey("GREETING").setValue(com.google.protobuf.ByteString.copyFromUtf8("a b"))).setWorkingDir("/data").build());
        assertEquals("a page for tests\n", fetched(client, "127.0.0.1"));
        assertEquals("/data a b\n", out(client, "sh", "-c", "echo $(pwd) $GREETING"));
        out(client, "sh", "-c", "echo shared > file; chown 7:8 file");
        assertEquals("shared\n", out(server, "cat", "/data/file"));
        assertEquals("shared\n", Files.readString(volume.resolve("file")));
        assertEquals(7, Files.getAttribute(volume.resolve("file"), "unix:uid"));
        assertEquals("pod\n", out(client, "hostname"));
        String address = daemon.connection().runtime().podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                .setPodSandboxId(pod.id()).build()).getStatus().getNetwork().getIp();
        assertEquals("a page for tests\n", page(address));
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(server).build());
        var again = web.toBuilder();
        again.getMetadataBuilder().setAttempt(1);
        daemon.pods().run(pod, again.build());
        assertEquals("a page for tests\n", page(address));
        assertEquals("a page for tests\n", fetched(client, address));
        end(pod);
    }

    // Not by wget: busybox's does not get on with the sockets of runsc's version of 2022.
    private String fetched(String container, String address) {
        return out(container, "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc " + address
                + " 80 > /tmp/page && break; sleep 0.2; done 2>/dev/null; tail -n 1 /tmp/page");
    }

    @Test
    void aPortOfAPodIsForwarded() throws Exception {
        PodClient.Pod pod = pod();
        daemon.pods().run(pod, PodClient.container("web", "httpd", "-f", "-p", "8080", "-h", "/www"));
        assertEquals("a page for tests\n", forwardedPage(pod));
        end(pod);
    }

    @Test
    void aUserALimitAndAReadOnlyRootAreKept() {
        PodClient.Pod pod = pod();
        var config = PodClient.container("c", "sleep", "1000").toBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUser(Int64Value.newBuilder().setValue(1234))
                .setRunAsGroup(Int64Value.newBuilder().setValue(5)).addSupplementalGroups(77).setReadonlyRootfs(true)
                .setNoNewPrivs(true);
        String container = daemon.pods().run(pod, config.build());
        assertEquals("1234 5 5 77\n", out(container, "sh", "-c", "echo $(id -u) $(id -g) $(id -G)"));
        assertTrue(daemon.pods().exec(container, "touch", "/file").getExitCode() != 0, "the root can be written");
        end(pod);
    }

    @Test
    void aContainerThatIsNeverStartedIsStopped() {
        PodClient.Pod pod = pod();
        String container = daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"));
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container).setTimeout(5)
                .build());
        assertEquals(137, daemon.pods().status(container).getExitCode());
        daemon.pods().create(pod, PodClient.container("d", "sleep", "1000"));
        end(pod);
    }

    @Test
    void aPrivilegedContainerHasTheCapabilitiesThatGvisorKnows() {
        PodClient.Pod pod = pod();
        var config = PodClient.container("c", "sleep", "1000").toBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
        String container = daemon.pods().run(pod, config.build());
        assertEquals("", out(container, "sh", "-c", "mkdir /m && mount -t tmpfs none /m && touch /m/file"));
        end(pod);
    }
}
