package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.base.RuntimeFault;
import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.cri.v1.UpdateContainerResourcesRequest;
import io.berth.cri.v1.UpdatePodSandboxResourcesRequest;
import io.berth.nri.TestPlugin;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.ContainerEviction;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.CreateContainerRequest;
import io.berth.nri.v1.CreateContainerResponse;
import io.berth.nri.v1.IOPrioClass;
import io.berth.nri.v1.OptionalUInt64;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.UpdateContainersRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Plugins over the real socket of a real daemon, and what real containers become by them. */
@Timeout(120)
class NriIT {

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("[nri]\nplugin_request_timeout = \"1s\"\nplugin_registration_timeout = \"3s\"\n");

    private final CountDownLatch never = new CountDownLatch(1);
    private final TestPlugin plugin = new TestPlugin("10", "test");

    @AfterEach
    void disconnect() {
        never.countDown();
        plugin.close();
    }

    private TestPlugin connect(TestPlugin each) throws InterruptedException {
        return each.connect(daemon.node().nriSocket()).awaitSynchronized();
    }

    private PodClient.Pod pod() {
        TestImages.busybox(daemon);
        return daemon.pods().run(PodClient.config("pod", daemon.node().logs()));
    }

    private void end(PodClient.Pod pod) {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private String out(String container, String... command) {
        var answer = daemon.pods().exec(container, command);
        assertEquals(0, answer.getExitCode(), answer.getStderr().toStringUtf8());
        return answer.getStdout().toStringUtf8();
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 2000 && !condition.getAsBoolean(); i++) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertTrue(condition.getAsBoolean(), "it did not come to be");
    }

    private static CreateContainerResponse adjust(Consumer<ContainerAdjustment.Builder> fill) {
        CreateContainerResponse.Builder answer = CreateContainerResponse.newBuilder();
        fill.accept(answer.getAdjustBuilder());
        return answer.build();
    }

    private static CreateContainerRequest request(ByteString message) {
        try {
            return CreateContainerRequest.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ContainerUpdate shares(String id, long shares) {
        ContainerUpdate.Builder update = ContainerUpdate.newBuilder().setContainerId(id);
        update.getLinuxBuilder().getResourcesBuilder().getCpuBuilder().setShares(OptionalUInt64.newBuilder().setValue(shares));
        return update.build();
    }

    @Test
    void theWholeLifeOfAPodIsToldInOrderWithWhatItIs() throws Exception {
        connect(plugin);
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        daemon.connection().runtime().updateContainerResources(UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(container).setLinux(LinuxContainerResources.newBuilder().setCpuShares(512)).build());
        daemon.connection().runtime().updatePodSandboxResources(UpdatePodSandboxResourcesRequest.newBuilder()
                .setPodSandboxId(pod.id()).build());
        String brief = daemon.pods().run(pod, PodClient.container("brief", "true"));
        // Told of an end that nobody asked for.
        await(() -> plugin.toldOf(brief).contains("StopContainer"));
        end(pod);
        assertEquals(List.of("CreateContainer", "PostCreateContainer", "StartContainer", "PostStartContainer",
                "UpdateContainer", "PostUpdateContainer", "StopContainer", "RemoveContainer"), plugin.toldOf(container));
        assertEquals(List.of("CreateContainer", "PostCreateContainer", "StartContainer", "PostStartContainer",
                "StopContainer", "RemoveContainer"), plugin.toldOf(brief));
        assertEquals(List.of("RunPodSandbox", "PostUpdatePodSandbox", "StopPodSandbox", "RemovePodSandbox"),
                plugin.toldOfPod(pod.id()));
        assertTrue(plugin.told().stream().anyMatch(told -> told.method().equals("UpdatePodSandbox")));
        PodSandbox told = plugin.told().getFirst().pod();
        assertEquals(List.of("pod", "default", "uid-pod"), List.of(told.getName(), told.getNamespace(), told.getUid()));
        assertEquals(1, told.getIpsCount());
        Container created = plugin.told().stream().filter(each -> each.method().equals("CreateContainer")).findFirst()
                .orElseThrow().container();
        assertEquals("c", created.getName());
        assertEquals(List.of("sleep", "1000"), created.getArgsList());
        assertTrue(created.getMountsList().stream().anyMatch(mount -> mount.getDestination().equals("/etc/hosts")));
    }

    @Test
    void aContainerBecomesWhatPluginsMakeOfIt() throws Exception {
        Path shared = Files.createDirectories(daemon.node().directory().resolve("shared"));
        Files.writeString(shared.resolve("file"), "from the plugin");
        connect(plugin.answer("CreateContainer", message -> adjust(wanted -> {
            wanted.addEnvBuilder().setKey("FROM").setValue(request(message).getPod().getName());
            wanted.addMountsBuilder().setDestination("/shared").setType("bind").setSource(shared.toString()).addOptions("rbind")
                    .addOptions("ro");
            wanted.putAnnotations("example.com/added", "yes");
            wanted.addRlimitsBuilder().setType("RLIMIT_NOFILE").setHard(333).setSoft(222);
            wanted.addArgs("sleep").addArgs("999");
            wanted.getLinuxBuilder().putSysctl("net.core.somaxconn", "77");
            wanted.getLinuxBuilder().addDevicesBuilder().setPath("/dev/extra").setType("c").setMajor(1).setMinor(3);
            wanted.getLinuxBuilder().getOomScoreAdjBuilder().setValue(777);
            wanted.getLinuxBuilder().getResourcesBuilder().getMemoryBuilder().getLimitBuilder().setValue(64 << 20);
        })));
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        assertEquals("pod\n", out(container, "sh", "-c", "echo $FROM"));
        assertEquals("from the plugin", out(container, "cat", "/shared/file"));
        assertTrue(out(container, "sh", "-c", "touch /shared/x 2>&1 || true").contains("Read-only"));
        assertTrue(out(container, "cat", "/proc/1/limits").matches("(?s).*Max open files +222 +333 .*"));
        assertEquals("sleep\0999\0", out(container, "cat", "/proc/1/cmdline"));
        assertEquals("77\n", out(container, "cat", "/proc/sys/net/core/somaxconn"));
        assertTrue(out(container, "ls", "-l", "/dev/extra").contains("1,   3"));
        assertEquals("777\n", out(container, "cat", "/proc/1/oom_score_adj"));
        assertEquals(64 << 20, daemon.pods().status(container).getResources().getLinux().getMemoryLimitInBytes());
        assertTrue(Files.readString(daemon.node().state().resolve("containers").resolve(container).resolve("config.json"))
                .contains("example.com/added"));
        end(pod);
    }

    @Test
    void whatTheRuntimeCannotDoAndWhatMakesNoSenseIsRefusedAndLeavesNothing() throws Exception {
        connect(plugin);
        var pod = pod();
        plugin.answer("CreateContainer", message -> adjust(wanted -> wanted.addMountsBuilder().setDestination("relative")));
        Status nonsense = refusal(pod);
        assertEquals(Status.Code.INVALID_ARGUMENT, nonsense.getCode());
        assertTrue(nonsense.getDescription().contains("10-test") && nonsense.getDescription().contains("relative"),
                nonsense.getDescription());
        // Neither runc 1.1 nor crun 1.8 of Debian 12 knows I/O priorities; newer ones get one that is out of range.
        plugin.answer("CreateContainer", message -> adjust(wanted -> wanted.getLinuxBuilder().getIoPriorityBuilder()
                .setClass_(IOPrioClass.IOPRIO_CLASS_BE).setPriority(99)));
        refusal(pod);
        plugin.answer("CreateContainer", message -> {
            throw RuntimeFault.precondition("no room here");
        });
        assertTrue(refusal(pod).getDescription().contains("NRI plugin 10-test answers CreateContainer: no room here"));
        end(pod);
        plugin.answer("RunPodSandbox", message -> {
            throw RuntimeFault.precondition("no pods today");
        });
        assertTrue(assertThrows(StatusRuntimeException.class, this::pod).getStatus().getDescription().contains("no pods today"));
        daemon.assertNothingLeft();
        plugin.answer("RunPodSandbox", message -> io.berth.nri.v1.Empty.getDefaultInstance());
        end(pod());
    }

    private Status refusal(PodClient.Pod pod) {
        return assertThrows(StatusRuntimeException.class,
                () -> daemon.pods().create(pod, PodClient.container("c", "sleep", "1000"))).getStatus();
    }

    @Test
    void otherContainersAreUpdatedAndEvicted() throws Exception {
        connect(plugin);
        var pod = pod();
        String first = daemon.pods().run(pod, PodClient.container("first", "sleep", "1000"));
        String second = daemon.pods().run(pod, PodClient.container("second", "sleep", "1000"));
        plugin.answer("CreateContainer", message -> CreateContainerResponse.newBuilder().addUpdate(shares(first, 300)).build());
        String third = daemon.pods().run(pod, PodClient.container("third", "sleep", "1000"));
        assertEquals(300, daemon.pods().status(first).getResources().getLinux().getCpuShares());
        assertEquals(0, plugin.update(UpdateContainersRequest.newBuilder().addUpdate(shares(second, 400))
                .addEvict(ContainerEviction.newBuilder().setContainerId(third).setReason("too loud")).build()).getFailedCount());
        assertEquals(400, daemon.pods().status(second).getResources().getLinux().getCpuShares());
        assertEquals(137, daemon.pods().awaitExit(third, Duration.ofSeconds(20)).getExitCode());
        ContainerUpdate.Builder impossible = ContainerUpdate.newBuilder().setContainerId(first);
        impossible.getLinuxBuilder().getResourcesBuilder().getPidsBuilder().setLimit(5);
        assertEquals(first, plugin.update(UpdateContainersRequest.newBuilder().addUpdate(impossible).build()).getFailed(0)
                .getContainerId());
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(first).getState());
        end(pod);
    }

    @Test
    void anUpdateOfTheKubeletIsChangedOnItsWay() throws Exception {
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        connect(plugin.answer("UpdateContainer", message -> io.berth.nri.v1.UpdateContainerResponse.newBuilder()
                .addUpdate(shares(container, 222)).build()));
        // Takes part only after it was told what runs; the answer to that comes before.
        await(() -> {
            daemon.connection().runtime().updateContainerResources(UpdateContainerResourcesRequest.newBuilder()
                    .setContainerId(container).setLinux(LinuxContainerResources.newBuilder().setCpuShares(999)).build());
            return daemon.pods().status(container).getResources().getLinux().getCpuShares() == 222;
        });
        end(pod);
    }

    @Test
    void aPluginThatComesLateIsToldWhatRunsAlsoAfterARestart() throws Exception {
        var pod = pod();
        String running = daemon.pods().run(pod, PodClient.container("running", "sleep", "1000"));
        String ended = daemon.pods().run(pod, PodClient.container("ended", "true"));
        daemon.pods().awaitExit(ended, Duration.ofSeconds(20));
        daemon.restart();
        connect(plugin);
        assertEquals(List.of(pod.id()), plugin.pods().stream().map(PodSandbox::getId).toList());
        assertEquals(List.of(running), plugin.containers().stream().map(Container::getId).toList());
        assertEquals(List.of("sleep", "1000"), plugin.containers().getFirst().getArgsList());
        await(() -> {
            String more = daemon.pods().run(pod, PodClient.container("more" + plugin.told().size() + System.nanoTime(), "true"));
            return plugin.toldOf(more).contains("CreateContainer");
        });
        end(pod);
        assertEquals(List.of("StopContainer", "RemoveContainer"), plugin.toldOf(running));
        assertEquals(List.of("RemoveContainer"), plugin.toldOf(ended));
    }

    @Test
    void aPluginThatHangsOrDiesIsLeftBehind() throws Exception {
        var pod = pod();
        connect(plugin.answer("CreateContainer", message -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return adjust(wanted -> { });
        }));
        await(() -> {
            daemon.pods().run(pod, PodClient.container("c" + System.nanoTime(), "sleep", "1000"));
            return !plugin.isConnected();
        });
        TestPlugin dying = new TestPlugin("20", "dying");
        connect(dying.answer("StartContainer", message -> {
            dying.close();
            return io.berth.nri.v1.Empty.getDefaultInstance();
        }));
        await(() -> {
            daemon.pods().run(pod, PodClient.container("d" + System.nanoTime(), "sleep", "1000"));
            return !dying.isConnected();
        });
        end(pod);
    }

    @Test
    void garbageOnTheSocketIsHungUpOnAndPodsGoOn() throws Exception {
        for (int i = 0; i < 20; i++) {
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                channel.connect(UnixDomainSocketAddress.of(daemon.node().nriSocket()));
                channel.write(ByteBuffer.wrap("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
                assertTrue(hungUpOn(channel));
            }
        }
        connect(plugin);
        var pod = pod();
        String container = daemon.pods().run(pod, PodClient.container("c", "sleep", "1000"));
        daemon.connection().runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(container).build());
        end(pod);
        assertEquals(List.of("RunPodSandbox", "StopPodSandbox", "RemovePodSandbox"), plugin.toldOfPod(pod.id()));
    }

    private static boolean hungUpOn(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(100)) < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    private static boolean runs(Path script) {
        return ProcessHandle.allProcesses().anyMatch(process -> process.info().arguments()
                .map(arguments -> List.of(arguments).contains(script.toString())).orElse(false));
    }

    /** The program hands its descriptor 3 on to the test, which is the plugin. */
    @Test
    void anInstalledPluginIsStartedConnectedByItsDescriptorConfiguredAndEnded() throws Exception {
        daemon.stop();
        Path nri = daemon.node().directory().resolve("nri");
        Path bridge = nri.resolve("bridge");
        Path plugins = Files.createDirectories(nri.resolve("plugins"));
        Files.createDirectories(nri.resolve("conf.d"));
        Files.writeString(nri.resolve("conf.d/30-installed.conf"), "colour = green");
        Files.writeString(plugins.resolve("30-installed"), """
                #!/usr/bin/perl
                use Socket;
                open(my $runtime, "+<&=", $ENV{NRI_PLUGIN_SOCKET}) or die;
                socket(my $test, PF_UNIX, SOCK_STREAM, 0) or die;
                connect($test, sockaddr_un("%s")) or die;
                sub pass { my ($from, $to) = @_; my $bytes;
                  while (sysread($from, $bytes, 65536)) { syswrite($to, $bytes); } shutdown($to, 1); }
                if (my $child = fork) { pass($runtime, $test); kill 9, $child; exit }
                pass($test, $runtime);
                """.formatted(bridge));
        Files.setPosixFilePermissions(plugins.resolve("30-installed"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(plugins.resolve("not a plugin"), "#!/bin/false\n");
        // Never registers, and does not end when it loses its connection.
        Files.writeString(plugins.resolve("40-deaf"), "#!/usr/bin/perl\nsleep 1000;\n");
        Files.setPosixFilePermissions(plugins.resolve("40-deaf"), PosixFilePermissions.fromString("rwxr-xr-x"));
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(bridge));
            Thread accepting = Thread.ofVirtual().start(() -> plugin.accept(listener));
            daemon.start();
            accepting.join();
            plugin.awaitSynchronized();
            assertEquals("colour = green", plugin.configuration().getConfig());
            var pod = pod();
            assertEquals(List.of("RunPodSandbox"), plugin.toldOfPod(pod.id()));
            daemon.pods().stop(pod);
            daemon.pods().remove(pod);
            await(() -> !runs(plugins.resolve("40-deaf")));
            assertTrue(runs(plugins.resolve("30-installed")));
            daemon.stop();
            assertTrue(plugin.told().stream().anyMatch(told -> told.method().equals("Shutdown")));
            assertFalse(runs(plugins.resolve("30-installed")));
            assertFalse(Files.exists(daemon.node().nriSocket()));
        }
        daemon.start();
    }
}
