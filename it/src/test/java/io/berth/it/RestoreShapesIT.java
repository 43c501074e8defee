package io.berth.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cli.scratch.PodClient;
import io.berth.cri.v1.Capability;
import io.berth.cri.v1.CheckpointContainerRequest;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.ContainerState;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.Int64Value;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.SecurityProfile;
import io.berth.linux.Cgroups;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Which shapes of containers go on from a checkpoint, and which are refused before anything is made of them. */
@Timeout(300)
class RestoreShapesIT {

    private static final String COUNT = "i=0; while true; do i=$((i+1)); echo $i > /dev/shm/count; sleep 0.1; done";

    private static final int SYS_RESOURCE = 24;

    @TempDir
    private Path directory;

    private Consumer<PodSandboxConfig.Builder> podShape = pod -> { };
    private PodClient.Pod pod;
    private String archive;

    @RegisterExtension
    private final TestDaemon daemon = TestDaemon.with("""
            [runtime]
            enable_criu_support = true
            default_runtime_name = "runc"
            """);

    @BeforeEach
    void criuWorks() {
        InstalledCriu.require();
        TestImages.busybox(daemon);
    }

    private PodClient.Pod pod(String name) {
        PodSandboxConfig.Builder config = PodClient.config(name, daemon.node().logs()).toBuilder();
        podShape.accept(config);
        return daemon.pods().run(config.build());
    }

    private ContainerConfig container(String name, Consumer<ContainerConfig.Builder> shape, String program) {
        ContainerConfig.Builder config = PodClient.container(name, "sh", "-c", program).toBuilder();
        shape.accept(config);
        return config.build();
    }

    private static Consumer<ContainerConfig.Builder> secured(Consumer<LinuxContainerSecurityContext.Builder> security) {
        return config -> security.accept(config.getLinuxBuilder().getSecurityContextBuilder());
    }

    private void awaitMore(String container, int than) throws InterruptedException {
        for (long deadline = System.nanoTime() + 30_000_000_000L; count(container) <= than; Thread.sleep(20)) {
            assertTrue(System.nanoTime() < deadline, "it stands still at " + count(container));
        }
    }

    private int count(String container) {
        String count = in(container, "cat", "/dev/shm/count");
        return count.matches("[0-9]+") ? Integer.parseInt(count) : 0;
    }

    private String in(String container, String... command) {
        return daemon.pods().exec(container, command).getStdout().toStringUtf8().strip();
    }

    /** Writes a container of this shape in one pod. */
    private void write(Consumer<ContainerConfig.Builder> shape, String program) throws Exception {
        var first = pod("first");
        String container = daemon.pods().run(first, container("c", shape, program));
        awaitMore(container, 3);
        archive = directory.resolve("checkpoint.tar").toString();
        daemon.connection().runtime().checkpointContainer(CheckpointContainerRequest.newBuilder().setContainerId(container)
                .setLocation(archive).setTimeout(60).build());
        daemon.pods().stop(first);
        daemon.pods().remove(first);
    }

    private ContainerConfig again(String name, Consumer<ContainerConfig.Builder> shape) {
        return container(name, shape, "true").toBuilder().clearCommand()
                .setImage(ImageSpec.newBuilder().setImage(archive)).build();
    }

    /** Writes a container in one pod and lets it go on in another; its new id. */
    private String goesOn(Consumer<ContainerConfig.Builder> shape, String program) throws Exception {
        write(shape, program);
        pod = pod("second");
        String container = daemon.pods().run(pod, again("again", shape));
        awaitMore(container, 4);
        assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(container).getState());
        return container;
    }

    private void end() {
        daemon.pods().stop(pod);
        daemon.pods().remove(pod);
        daemon.assertNothingLeft();
    }

    private String refusal(Consumer<ContainerConfig.Builder> shape) {
        Status refused = assertThrows(StatusRuntimeException.class, () ->
                daemon.pods().create(pod, again("refused", shape))).getStatus();
        assertEquals(Status.Code.INVALID_ARGUMENT, refused.getCode(), refused.getDescription());
        return refused.getDescription();
    }

    @Test
    void oneWithATerminalHasOneAgain() throws Exception {
        String container = goesOn(config -> config.setTty(true).setStdin(true), COUNT);
        assertTrue(in(container, "readlink", "/proc/1/fd/0").startsWith("/dev/pts/"));
        assertTrue(refusal(config -> { }).contains("had a terminal"));
        end();
    }

    @Test
    void oneWhoseInputIsOpenGoesOn() throws Exception {
        goesOn(config -> config.setStdin(true).setStdinOnce(true), COUNT);
        end();
    }

    @Test
    void allProcessesOfOneAreThereAlsoThoseThatNobodyWaitedFor() throws Exception {
        String container = goesOn(config -> { }, "sleep 0.1 & sh -c 'sleep 0.1 & exec sleep 987' & echo kept > /f; exec 5<>/f;"
                + " rm /f; " + COUNT);
        String processes = in(container, "ps");
        assertTrue(processes.contains("sleep 987"), processes);
        assertTrue(processes.contains("[sleep]"), processes);
        assertEquals("kept", in(container, "cat", "/proc/1/fd/5"), "a deleted file that was open");
        end();
    }

    @Test
    void oneInThePodsPidNamespaceGoesOnBesideOthers() throws Exception {
        podShape = config -> config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder()
                .setPid(NamespaceMode.POD);
        String container = goesOn(secured(it -> it.getNamespaceOptionsBuilder().setPid(NamespaceMode.POD)), COUNT);
        assertTrue(in(container, "ps").contains("pause"));
        assertTrue(refusal(config -> { }).contains("pid namespace"));
        end();
    }

    @Test
    void oneOnTheNodesNetworkLeavesTheNodesNameAlone() throws Exception {
        String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        podShape = config -> config.clearHostname().getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder()
                .setNetwork(NamespaceMode.NODE);
        String container = goesOn(secured(it -> it.getNamespaceOptionsBuilder().setNetwork(NamespaceMode.NODE)), COUNT);
        assertEquals(name, in(container, "hostname"));
        assertEquals(name, Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
        end();
    }

    @Test
    void thePodKeepsItsNameAndItsSettings() throws Exception {
        write(config -> { }, COUNT);
        podShape = config -> config.getLinuxBuilder().putSysctls("kernel.shmmax", "123456789");
        pod = pod("second");
        String neighbour = daemon.pods().run(pod, container("neighbour", config -> { }, "exec sleep 1000"));
        String container = daemon.pods().run(pod, again("again", config -> { }));
        for (String each : List.of(neighbour, container)) {
            assertEquals("second", in(each, "hostname"));
            assertEquals("123456789", in(each, "cat", "/proc/sys/kernel/shmmax"));
        }
        end();
    }

    @Test
    void whatConfinesOneConfinesItAgain() throws Exception {
        String container = goesOn(secured(it -> it.setReadonlyRootfs(true).setNoNewPrivs(true)
                .setSeccomp(SecurityProfile.newBuilder().setProfileType(SecurityProfile.ProfileType.RuntimeDefault))
                .setCapabilities(Capability.newBuilder().addDropCapabilities("CHOWN").addAddCapabilities("NET_ADMIN"))),
                COUNT);
        String status = in(container, "cat", "/proc/1/status");
        assertTrue(status.contains("NoNewPrivs:\t1"), status);
        assertTrue(status.contains("Seccomp:\t2"), status);
        assertTrue(status.contains("CapEff:\t00000000a80435fa"), status);
        assertEquals(1, daemon.pods().exec(container, "touch", "/x").getExitCode());
        String refused = refusal(config -> { });
        assertTrue(refused.contains("could not write to /,"), refused);
        refused = refusal(secured(it -> it.setReadonlyRootfs(true)));
        assertTrue(refused.contains("had CAP_NET_ADMIN, which the request does not give"), refused);
        end();
    }

    @Test
    void theLimitsAreThoseOfTheRequest() throws Exception {
        write(config -> config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(256 << 20), COUNT);
        pod = pod("second");
        String container = daemon.pods().run(pod, again("again", config ->
                config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(32 << 20)));
        awaitMore(container, 4);
        Cgroups cgroups = Cgroups.detect();
        String group = daemon.node().cgroup() + "/" + pod.id() + "/" + container;
        assertEquals(Optional.of(Integer.toString(32 << 20)), cgroups.read("memory", group,
                cgroups.isUnified() ? "memory.max" : "memory.limit_in_bytes"));
        end();
    }

    @Test
    void oneOfAnotherUserThanRootGoesOn() throws Exception {
        long own = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("CapEff:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16)).findFirst().orElseThrow();
        assumeTrue((own & 1L << SYS_RESOURCE) != 0,
                "CRIU needs CAP_SYS_RESOURCE for processes of other users than root, and this machine does not give it");
        String container = goesOn(secured(it -> it.setRunAsUser(Int64Value.newBuilder().setValue(33))), COUNT);
        assertTrue(in(container, "cat", "/proc/1/status").contains("Uid:\t33\t33\t33\t33"));
        end();
    }

    @Test
    void oneThatListensOnAllAddressesMovesAndOneThatListensOnThePodsDoesNot() throws Exception {
        String container = goesOn(config -> { }, "httpd -p 80 -h /www; " + COUNT);
        assertEquals("a page for tests", in(container, "wget", "-qO-", "http://127.0.0.1/index.html"));
        end();
        // Something else has the old address, or the new pod may get it again.
        var holder = new ArrayList<PodClient.Pod>();
        write(config -> { }, "httpd -p $(hostname -i):80 -h /www; " + COUNT);
        holder.add(pod("holder"));
        pod = pod("second");
        String refused = refusal(config -> { });
        assertTrue(refused.contains("which is not an address of this pod"), refused);
        daemon.pods().stop(holder.getFirst());
        daemon.pods().remove(holder.getFirst());
        end();
    }

    @Test
    void volumesOfTheRequestAreThere() throws Exception {
        Path data = Files.createDirectory(directory.resolve("data"));
        Files.writeString(data.resolve("f"), "of the volume");
        Consumer<ContainerConfig.Builder> shape = config -> config
                .addMounts(Mount.newBuilder().setHostPath(data.toString()).setContainerPath("/data"))
                .addMounts(Mount.newBuilder().setHostPath(data.toString()).setContainerPath("/secret").setReadonly(true));
        String container = goesOn(shape, COUNT);
        assertEquals("of the volume", in(container, "cat", "/data/f"));
        assertEquals(0, daemon.pods().exec(container, "touch", "/data/mine").getExitCode());
        assertEquals(1, daemon.pods().exec(container, "touch", "/secret/mine").getExitCode());
        String swapped = refusal(config -> {
            shape.accept(config);
            config.getMountsBuilder(0).setReadonly(true);
            config.getMountsBuilder(1).setReadonly(false);
        });
        assertTrue(swapped.contains("could write to /data") && swapped.contains("could not write to /secret"), swapped);
        end();
    }

    @Test
    void oneArchiveGoesOnThreeTimesAtOnce() throws Exception {
        write(config -> { }, COUNT);
        pod = pod("second");
        List<CompletableFuture<String>> starting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String name = "again-" + i;
            starting.add(CompletableFuture.supplyAsync(() -> daemon.pods().run(pod, again(name, config -> { }))));
        }
        for (CompletableFuture<String> each : starting) {
            assertEquals(ContainerState.CONTAINER_RUNNING, daemon.pods().status(each.join()).getState());
            awaitMore(each.join(), 4);
        }
        end();
    }

    @Test
    void oneThatIsCutShortIsRefused() throws Exception {
        write(config -> { }, COUNT);
        Path changing = Path.of(archive);
        byte[] whole = Files.readAllBytes(changing);
        pod = pod("second");
        Files.write(changing, Arrays.copyOf(whole, whole.length / 2));
        Status cut = assertThrows(StatusRuntimeException.class, () ->
                daemon.pods().create(pod, again("cut", config -> { }))).getStatus();
        assertTrue(List.of(Status.Code.DATA_LOSS, Status.Code.INVALID_ARGUMENT).contains(cut.getCode()), cut.getDescription());
        Files.write(changing, whole);
        String container = daemon.pods().run(pod, again("whole", config -> { }));
        awaitMore(container, 4);
        end();
    }
}
