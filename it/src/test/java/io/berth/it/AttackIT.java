package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.api.v1.ImportImageRequest;
import io.berth.cli.scratch.BusyboxImage;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ExecRequest;
import io.berth.cri.v1.ExecSyncRequest;
import io.berth.cri.v1.Int64Value;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.streaming.client.ChannelClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Attacks of known kinds that reach Berth: docs/threat-model.md names each with its defence. */
@Timeout(120)
class AttackIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.withBuiltinNetwork();

    @BeforeEach
    void image() {
        TestImages.busybox(daemon);
    }

    private PodSandboxConfig config() {
        return PodClient.config("pod", daemon.node().logs());
    }

    private PodClient.Pod pod() {
        return daemon.pods().run(config());
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private static void assertInvalid(Runnable call) {
        var refused = assertThrows(StatusRuntimeException.class, call::run);
        assertEquals(Status.Code.INVALID_ARGUMENT, refused.getStatus().getCode(), refused.getMessage());
    }

    /** CVE-2024-21626: a descriptor of the node's file system that a container's process inherits is a way out. */
    @Test
    void noDescriptorOfTheNodeReachesAContainerOrACommand() {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        for (String process : List.of("1", "self")) {
            String open = daemon.pods().exec(container, "ls", "-l", "/proc/" + process + "/fd").getStdout().toStringUtf8();
            assertFalse(open.contains(daemon.node().directory().toString()) || open.contains("cgroup")
                    || open.contains("socket:"), process + " has " + open);
        }
        end(pod);
    }

    @Test
    void aWorkingDirectoryBehindADescriptorIsRefused() {
        var pod = pod();
        for (String directory : List.of("/proc/self/fd/7", "/proc/../proc/self/fd/7/../..", "//proc/1/cwd", "/proc/self/root",
                "/dev/fd/8", "/proc/thread-self/fd/3", "/proc/1/task/1/fd/3")) {
            assertInvalid(() -> daemon.pods().create(pod, PodClient.container("c", "true").toBuilder()
                    .setWorkingDir(directory).build()));
        }
        end(pod);
    }

    /** The same by a link, which only the runtime follows. */
    @Test
    void aWorkingDirectoryThatIsALinkToADescriptorLeadsNowhere() throws Exception {
        var pod = pod();
        Path secret = Files.writeString(daemon.node().directory().resolve("secret"), "of the node");
        Path links = Files.createDirectory(daemon.node().directory().resolve("links"));
        for (int descriptor = 3; descriptor < 16; descriptor++) {
            String name = "c" + descriptor;
            Files.createSymbolicLink(links.resolve(name), Path.of("/proc/self/fd/" + descriptor));
            ContainerConfig config = PodClient.container(name, "sh", "-c", "cat ../../../../../../.." + secret).toBuilder()
                    .addMounts(Mount.newBuilder().setHostPath(links.toString()).setContainerPath("/links"))
                    .setWorkingDir("/links/" + name).build();
            try {
                String container = daemon.pods().run(pod, config);
                daemon.pods().awaitExit(container, java.time.Duration.ofSeconds(10));
                assertFalse(daemon.log("pod", name).contains("of the node"), "descriptor " + descriptor);
            } catch (StatusRuntimeException refused) {
                assertEquals(Status.Code.INTERNAL, refused.getStatus().getCode());
            }
        }
        end(pod);
    }

    @Test
    void aLogPathThatLeadsOutIsRefused() {
        var pod = pod();
        for (String path : List.of("../../../etc/cron.d/x", "a/../../x.log", "..")) {
            assertInvalid(() -> daemon.pods().create(pod, PodClient.container("c", "true").toBuilder().setLogPath(path).build()));
        }
        end(pod);
    }

    @Test
    void aLineBreakInAHostnameDoesNotReachTheHostsFile() {
        assertInvalid(() -> daemon.pods().run(config().toBuilder().setHostname("a\n10.0.0.1 registry").build()));
        daemon.assertNothingLeft();
    }

    @Test
    void aLineBreakInANameServerDoesNotReachTheResolverFile() {
        var config = config().toBuilder();
        config.getDnsConfigBuilder().addServers("10.0.0.1\noptions debug");
        assertThrows(StatusRuntimeException.class, () -> daemon.pods().run(config.build()));
        daemon.assertNothingLeft();
    }

    @Test
    void aCgroupParentThatLeadsOutIsRefused() {
        var config = config().toBuilder();
        config.getLinuxBuilder().setCgroupParent("/../../../" + daemon.node().name() + "-out");
        assertInvalid(() -> daemon.pods().run(config.build()));
        daemon.assertNothingLeft();
    }

    /** CVE-2022-0811: a sysctl whose value brings another one. */
    @Test
    void aSysctlThatIsNotThePodsIsRefused() {
        for (String name : List.of("kernel.shm_rmid_forced+kernel.core_pattern", "kernel.core_pattern",
                "net/../kernel/core_pattern")) {
            var config = config().toBuilder();
            config.getLinuxBuilder().putSysctls(name, "1");
            assertInvalid(() -> daemon.pods().run(config.build()));
        }
        daemon.assertNothingLeft();
    }

    /** CVE-2024-40635: a number that wraps around to root. */
    @Test
    void aUserNumberThatWouldWrapAroundIsRefused() {
        var pod = pod();
        for (long number : List.of(4_294_967_296L, 4_294_967_295L, -1L, Long.MIN_VALUE, 1L << 33)) {
            var config = PodClient.container("c", "true").toBuilder();
            config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUser(Int64Value.newBuilder().setValue(number));
            assertInvalid(() -> daemon.pods().run(pod, config.build()));
        }
        end(pod);
    }

    /** CVE-2026-47262: accounts without end must not become the daemon's memory. */
    @Test
    void accountsWithoutEndAreRefusedAndTheDaemonLivesOn() {
        var pod = pod();
        Map<String, String> hostile = Map.of(
                "many", "a::0:0::\n".repeat(900_000),
                "wide", "a" + ":".repeat(8_000_000),
                "long", "a::0:0::" + "/x".repeat(4_000_000));
        hostile.forEach((name, accounts) -> {
            image(name, Map.of("etc/passwd", bytes(accounts), "etc/group", bytes("g::0:" + ",".repeat(7_000_000))));
            var config = PodClient.container(name, "true").toBuilder();
            config.getImageBuilder().setImage("berth.local/" + name + ":1");
            config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("b");
            assertInvalid(() -> daemon.pods().create(pod, config.build()));
        });
        // Within the limit, from many sides at once.
        image("dense", Map.of("etc/passwd", bytes("a::0:0::\n".repeat(100_000) + "b::7:8::/\n"),
                "etc/group", bytes("g::9:" + "b,".repeat(500_000))));
        List<String> made = IntStream.range(0, 8).parallel().mapToObj(i -> {
            var config = PodClient.container("c" + i, "true").toBuilder();
            config.getImageBuilder().setImage("berth.local/dense:1");
            config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("b");
            return daemon.pods().create(pod, config.build());
        }).toList();
        assertEquals(8, made.size());
        assertFalse(new String(log(), StandardCharsets.UTF_8).contains("OutOfMemoryError"));
        end(pod);
    }

    private void image(String name, Map<String, byte[]> files) {
        Path layout = daemon.node().directory().resolve("image-" + name);
        BusyboxImage.write(layout, "berth.local/" + name + ":1", List.of("sh"), files);
        daemon.connection().berth().importImage(ImportImageRequest.newBuilder().setPath(layout.toString()).build());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private byte[] log() {
        try {
            return Files.readAllBytes(daemon.node().daemonLog());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** CVE-2022-1708, CVE-2022-31030: output without end must not become the daemon's memory. */
    @Test
    void aFloodOfOutputIsCutAndTheDaemonLivesOn() throws Exception {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        var flooded = daemon.connection().runtime().execSync(ExecSyncRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("sh", "-c", "head -c 150000000 /dev/zero; echo said >&2")).setTimeout(60).build());
        assertEquals(16 << 20, flooded.getStdout().size());
        assertEquals("said\n", flooded.getStderr().toStringUtf8());
        assertEquals("a\n", daemon.pods().exec(container, "echo", "a").getStdout().toStringUtf8());
        end(pod);
    }

    @Test
    void aRequestWithAHundredThousandLabelsHarmsNobody() {
        var config = config().toBuilder();
        for (int i = 0; i < 100_000; i++) {
            config.putLabels("label-" + i, "value-" + i);
        }
        var pod = daemon.pods().run(config.build());
        assertEquals(1, daemon.connection().runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsCount());
        end(pod);
    }

    @Test
    void aRequestBeyondTheLimitIsRefusedAndTheDaemonLivesOn() {
        var config = config().toBuilder();
        for (int i = 0; i < 200_000; i++) {
            config.putLabels("label-" + i, "a value that is rather long, so that all of them together exceed the limit " + i);
        }
        var refused = assertThrows(StatusRuntimeException.class, () -> daemon.pods().run(config.build()));
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, refused.getStatus().getCode(), refused.getMessage());
        daemon.assertNothingLeft();
        end(pod());
    }

    @Test
    void aStreamsAddressWorksOnceAndCannotBeGuessed() throws Exception {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        String url = daemon.connection().runtime().exec(ExecRequest.newBuilder().setContainerId(container)
                .addAllCmd(List.of("echo", "done")).setStdout(true).build()).getUrl();
        connect(url);
        assertThrows(IOException.class, () -> connect(url));
        assertThrows(IOException.class, () -> connect(url.substring(0, url.lastIndexOf('/') + 1) + "AAAAAAAA"));
        assertTrue(url.substring(url.lastIndexOf('/') + 1).length() >= 8 && URI.create(url).getHost().equals("127.0.0.1"), url);
        end(pod);
    }

    private static void connect(String url) throws IOException {
        try (ChannelClient client = ChannelClient.connect(URI.create(url), List.of("v5.channel.k8s.io"),
                SocketFactory.getDefault())) {
            while (client.receive().isPresent()) {
                // To its end.
            }
        }
    }

    /** CVE-2020-15257, CVE-2024-25621: sockets and directories that other users of the node reach. */
    @Test
    void whatSecretsAreInIsForRootOnly() throws Exception {
        var pod = pod();
        daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertTrue(mode(daemon.node().socket()).endsWith("---"), mode(daemon.node().socket()));
        assertTrue(mode(daemon.node().root().resolve("records")).endsWith("------"));
        try (Stream<Path> all = Files.walk(daemon.node().state().resolve("containers"), 2)) {
            for (Path path : all.filter(each -> each.getFileName().toString().matches("config.json|attach|ctl")).toList()) {
                assertTrue(mode(path).endsWith("---"), path + " " + mode(path));
            }
        }
        end(pod);
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
