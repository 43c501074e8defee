package io.berth.nri;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.berth.base.RuntimeFault;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.ContainerEviction;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.CreateContainerRequest;
import io.berth.nri.v1.CreateContainerResponse;
import io.berth.nri.v1.Event;
import io.berth.nri.v1.LinuxResources;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.StopContainerResponse;
import io.berth.nri.v1.SynchronizeResponse;
import io.berth.nri.v1.UpdateContainerResponse;
import io.berth.nri.v1.UpdateContainersRequest;
import io.berth.nri.v1.ValidateContainerAdjustmentResponse;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real sockets, the protocol as it is on the wire, and a runtime that only keeps what it is asked for. */
@Timeout(60)
class AdaptationTest {

    private static final PodSandbox POD = PodSandbox.newBuilder().setId("p1").build();

    @TempDir
    private Path directory;

    private final FakeRuntime runtime = new FakeRuntime();
    private final List<TestPlugin> plugins = new ArrayList<>();
    private Adaptation adaptation;

    /** Knows what it is given; keeps updates and evictions. */
    private static final class FakeRuntime implements NriRuntime {
        final Map<String, Container> containers = new ConcurrentHashMap<>();
        final List<ContainerUpdate> updates = new CopyOnWriteArrayList<>();
        final List<ContainerEviction> evictions = new CopyOnWriteArrayList<>();

        @Override
        public State state() {
            return new State(List.of(POD), List.copyOf(containers.values()));
        }

        @Override
        public List<ContainerUpdate> update(List<ContainerUpdate> wanted) {
            updates.addAll(wanted);
            return wanted.stream().filter(each -> each.getContainerId().equals("broken")).toList();
        }

        @Override
        public void evict(ContainerEviction eviction, String plugin) {
            evictions.add(eviction);
        }
    }

    private void start(Duration requestTimeout, ValidatorSettings validator) {
        adaptation = Adaptation.start(new NriSettings("berth", "1", directory.resolve("nri.sock"), true,
                directory.resolve("plugins"), directory.resolve("conf.d"), Duration.ofSeconds(20), requestTimeout, validator,
                directory.resolve("run")), runtime);
    }

    private void start() {
        start(Duration.ofSeconds(20), ValidatorSettings.OFF);
    }

    @AfterEach
    void stop() {
        plugins.forEach(TestPlugin::close);
        if (adaptation != null) {
            adaptation.close();
        }
    }

    private TestPlugin plugin(String index, String name) {
        TestPlugin plugin = new TestPlugin(index, name);
        plugins.add(plugin);
        return plugin;
    }

    private TestPlugin join(TestPlugin plugin) throws InterruptedException {
        int before = adaptation.pluginNames().size();
        plugin.connect(directory.resolve("nri.sock")).awaitSynchronized();
        await(() -> adaptation.pluginNames().size() > before);
        return plugin;
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        for (int i = 0; i < 2000 && !condition.getAsBoolean(); i++) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertTrue(condition.getAsBoolean(), "it did not come to be");
    }

    private static Container container(String id) {
        return Container.newBuilder().setId(id).setPodSandboxId("p1").setName("name-" + id).build();
    }

    private Optional<ContainerAdjustment> create(String id) {
        Optional<ContainerAdjustment> adjustment = adaptation.createContainer(id, () -> POD, () -> container(id));
        runtime.containers.put(id, container(id));
        adaptation.containerKnown(id);
        return adjustment;
    }

    private static CreateContainerResponse env(String key, String value) {
        CreateContainerResponse.Builder answer = CreateContainerResponse.newBuilder();
        answer.getAdjustBuilder().addEnvBuilder().setKey(key).setValue(value);
        return answer.build();
    }

    private static Container containerOf(ByteString message) {
        try {
            return CreateContainerRequest.parseFrom(message).getContainer();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void withoutPluginsNothingIsAsked() {
        start();
        assertFalse(adaptation.hasPlugins());
        adaptation.runPodSandbox("p1", () -> {
            throw new AssertionError("described for nobody");
        });
        assertEquals(Optional.empty(), create("c1"));
    }

    @Test
    void pluginsAreConfiguredCalledInTheOrderOfTheirIndexAndSeeEachOthersChanges() throws Exception {
        start();
        List<List<String>> seen = new CopyOnWriteArrayList<>();
        TestPlugin late = plugin("90", "late").answer("CreateContainer", message -> {
            seen.add(containerOf(message).getEnvList());
            return env("LATE", "2");
        });
        join(late);
        join(plugin("10", "early").answer("CreateContainer", message -> {
            seen.add(containerOf(message).getEnvList());
            return env("EARLY", "1");
        }));
        assertEquals(List.of("10-early", "90-late"), adaptation.pluginNames());
        assertEquals(20_000, late.configuration().getRequestTimeout());
        assertEquals("berth", late.configuration().getRuntimeName());
        ContainerAdjustment adjustment = create("c1").orElseThrow();
        assertEquals(List.of(List.of(), List.of("EARLY=1")), seen);
        assertEquals(2, adjustment.getEnvCount());
    }

    @Test
    void aConflictRefusesTheContainerAndAPluginMayRefuseIt() throws Exception {
        start();
        join(plugin("10", "one").answer("CreateContainer", message -> env("X", "1")));
        TestPlugin two = join(plugin("20", "two").answer("CreateContainer", message -> env("X", "2")));
        String conflict = assertThrows(RuntimeFault.class, () -> create("c1")).getMessage();
        assertTrue(conflict.contains("10-one and 20-two"), conflict);
        two.answer("CreateContainer", message -> {
            throw RuntimeFault.precondition("no room");
        });
        RuntimeFault refusal = assertThrows(RuntimeFault.class, () -> create("c1"));
        assertEquals("NRI plugin 20-two answers CreateContainer: no room", refusal.getMessage());
        two.answer("CreateContainer", message -> env("Y", "2"));
        assertEquals(2, create("c1").orElseThrow().getEnvCount());
    }

    @Test
    void aPluginThatHangsIsDisconnectedOnceAndThenCostsNothing() throws Exception {
        start(Duration.ofMillis(300), ValidatorSettings.OFF);
        CountDownLatch never = new CountDownLatch(1);
        TestPlugin hanging = join(plugin("10", "hanging").answer("CreateContainer", message -> {
            awaitLatch(never);
            return env("X", "1");
        }));
        TestPlugin good = join(plugin("20", "good").answer("CreateContainer", message -> env("Y", "1")));
        assertEquals("Y", create("c1").orElseThrow().getEnv(0).getKey());
        hanging.awaitEnd();
        assertEquals(List.of("20-good"), adaptation.pluginNames());
        create("c2");
        assertEquals(List.of("CreateContainer"), good.toldOf("c2"));
        assertEquals(List.of(), hanging.toldOf("c2"));
        never.countDown();
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aPluginThatDiesWhileItIsAskedCountsAsAbsent() throws Exception {
        start();
        TestPlugin dying = plugin("10", "dying");
        join(dying.answer("CreateContainer", message -> {
            dying.close();
            return env("X", "1");
        }));
        assertEquals(Optional.empty(), create("c1"));
        await(() -> !adaptation.hasPlugins());
    }

    @Test
    void aMalformedAnswerDisconnects() throws Exception {
        start();
        TestPlugin malformed = join(plugin("10", "malformed").answer("CreateContainer",
                // Bytes that are no CreateContainerResponse: field 1 of a wrong length.
                message -> io.berth.nri.v1.OptionalString.newBuilder().setValueBytes(ByteString.copyFromUtf8("\n\nx")).build()));
        assertEquals(Optional.empty(), create("c1"));
        malformed.awaitEnd();
    }

    @Test
    void garbageAndFloodsOnTheSocketHurtNobodyElse() throws Exception {
        start();
        TestPlugin good = join(plugin("20", "good"));
        List<byte[]> garbage = List.of("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                new byte[] {0, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9},
                new byte[] {0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0});
        for (byte[] each : garbage) {
            try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                channel.connect(UnixDomainSocketAddress.of(directory.resolve("nri.sock")));
                channel.write(ByteBuffer.wrap(each));
                assertTrue(isHungUpOn(channel));
            }
        }
        create("c1");
        assertEquals(List.of("CreateContainer"), good.toldOf("c1"));
    }

    private static boolean isHungUpOn(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(100)) < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    @Test
    void aPluginThatAsksWithoutEndAndReadsNoAnswerIsHungUpOn() throws Exception {
        start();
        TestPlugin good = join(plugin("20", "good"));
        byte[] request = new byte[8 + 10 + 48];
        byte[] service = "nri.pkg.api.v1alpha1.Runtime".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        byte[] method = "UpdateContainers".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(directory.resolve("nri.sock")));
            assertThrows(IOException.class, () -> {
                for (int i = 0; i < 500_000; i++) {
                    ByteBuffer bytes = ByteBuffer.wrap(request).putInt(2).putInt(58).putInt(48).putInt(2 * i + 1).put((byte) 1)
                            .put((byte) 0).put((byte) 0x0a).put((byte) service.length).put(service).put((byte) 0x12)
                            .put((byte) method.length).put(method).flip();
                    channel.write(bytes);
                }
            });
        }
        create("c1");
        assertEquals(List.of("CreateContainer"), good.toldOf("c1"));
    }

    @Test
    void aBadNameIsRefused() {
        start();
        for (String index : List.of("1", "xx", "123")) {
            assertThrows(RuntimeFault.class, () -> plugin(index, "name").connect(directory.resolve("nri.sock")));
        }
        assertThrows(RuntimeFault.class, () -> plugin("10", "na me").connect(directory.resolve("nri.sock")));
    }

    @Test
    void aContainerCreatedWhileAPluginIsToldWhatRunsIsToldOnceToIt() throws Exception {
        start();
        create("before");
        // Told to plugins, of which there are none, but not yet in the runtime's state.
        adaptation.createContainer("between", () -> POD, () -> container("between"));
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        TestPlugin plugin = plugin("10", "slow").answer("Synchronize", message -> {
            reached.countDown();
            awaitLatch(release);
            return SynchronizeResponse.getDefaultInstance();
        });
        plugin.connect(directory.resolve("nri.sock"));
        awaitLatch(reached);
        var during = CompletableFuture.runAsync(() -> create("during"), Executors.newVirtualThreadPerTaskExecutor());
        runtime.containers.put("between", container("between"));
        adaptation.containerKnown("between");
        release.countDown();
        during.get(20, TimeUnit.SECONDS);
        create("after");
        List<String> synced = plugin.containers().stream().map(Container::getId).sorted().toList();
        assertEquals(List.of("before", "between"), synced);
        assertEquals(List.of("CreateContainer"), plugin.toldOf("during"));
        assertEquals(List.of("CreateContainer"), plugin.toldOf("after"));
        assertEquals(List.of(), plugin.toldOf("between"));
    }

    @Test
    void aPluginThatHangsWhenToldWhatRunsIsGivenUp() throws Exception {
        adaptation = Adaptation.start(new NriSettings("berth", "1", directory.resolve("nri.sock"), true,
                directory.resolve("plugins"), directory.resolve("conf.d"), Duration.ofMillis(300), Duration.ofSeconds(20),
                ValidatorSettings.OFF, directory.resolve("run")), runtime);
        CountDownLatch never = new CountDownLatch(1);
        TestPlugin plugin = plugin("10", "hanging").answer("Synchronize", message -> {
            awaitLatch(never);
            return SynchronizeResponse.getDefaultInstance();
        });
        plugin.connect(directory.resolve("nri.sock")).awaitEnd();
        assertFalse(adaptation.hasPlugins());
        create("c1");
        never.countDown();
    }

    @Test
    void moreThanFitsIntoAMessageIsToldInParts() throws Exception {
        start();
        String large = "x".repeat(1 << 20);
        for (int i = 0; i < 10; i++) {
            runtime.containers.put("c" + i, container("c" + i).toBuilder().putLabels("large", large).build());
        }
        TestPlugin plugin = join(plugin("10", "parts"));
        assertEquals(4, plugin.syncMessages());
        assertEquals(10, plugin.containers().size());
    }

    @Test
    void anOlderPluginIsToldByStateChange() throws Exception {
        start();
        TestPlugin plugin = join(plugin("10", "old").without("RunPodSandbox").without("StartContainer"));
        adaptation.runPodSandbox("p1", () -> POD);
        adaptation.event(Event.START_CONTAINER, () -> POD, Optional.of(() -> container("c1")));
        assertEquals(List.of("StateChange RUN_POD_SANDBOX"), plugin.toldOfPod("p1"));
        assertEquals(List.of("StateChange START_CONTAINER"), plugin.toldOf("c1"));
    }

    @Test
    void onlyEventsThatAPluginSubscribedToAreTold() throws Exception {
        start();
        TestPlugin plugin = join(plugin("10", "few").events(1 << Event.STOP_POD_SANDBOX_VALUE - 1));
        adaptation.runPodSandbox("p1", () -> POD);
        adaptation.note(Event.STOP_POD_SANDBOX, () -> POD, Optional.empty());
        create("c1");
        assertEquals(List.of("StopPodSandbox"), plugin.told().stream().map(TestPlugin.Told::method).toList());
    }

    private static ContainerUpdate cpus(String id, String cpus) {
        ContainerUpdate.Builder update = ContainerUpdate.newBuilder().setContainerId(id);
        update.getLinuxBuilder().getResourcesBuilder().getCpuBuilder().setCpus(cpus);
        return update.build();
    }

    @Test
    void updatesAndEvictionsOfOthersAreMade() throws Exception {
        start();
        TestPlugin plugin = plugin("10", "updating")
                .answer("Synchronize", message -> SynchronizeResponse.newBuilder().addUpdate(cpus("s", "0")).build())
                .answer("CreateContainer", message -> CreateContainerResponse.newBuilder().addUpdate(cpus("c", "1"))
                        .addEvict(ContainerEviction.newBuilder().setContainerId("e")).build())
                .answer("StopContainer", message -> StopContainerResponse.newBuilder().addUpdate(cpus("t", "2")).build());
        join(plugin);
        create("c1");
        adaptation.stopContainer(() -> POD, () -> container("c1"));
        assertEquals(List.of("s", "c", "t"), runtime.updates.stream().map(ContainerUpdate::getContainerId).toList());
        assertEquals("e", runtime.evictions.getFirst().getContainerId());
        var failed = plugin.update(UpdateContainersRequest.newBuilder().addUpdate(cpus("broken", "3")).addUpdate(cpus("u", "4"))
                .addEvict(ContainerEviction.newBuilder().setContainerId("f")).build()).getFailedList();
        assertEquals(List.of("broken"), failed.stream().map(ContainerUpdate::getContainerId).toList());
        assertEquals("f", runtime.evictions.getLast().getContainerId());
        plugin.answer("CreateContainer", message -> CreateContainerResponse.newBuilder().addUpdate(cpus("c2", "1"))
                .addEvict(ContainerEviction.newBuilder().setContainerId("g")).build());
        assertTrue(assertThrows(RuntimeFault.class, () -> create("c2")).getMessage().contains("has to adjust it"));
        assertEquals(2, runtime.evictions.size(), "nobody makes room for a container that was refused");
    }

    @Test
    void anUpdateOfTheClientIsChangedOnItsWay() throws Exception {
        start();
        LinuxResources.Builder asked = LinuxResources.newBuilder();
        asked.getCpuBuilder().setCpus("0-3");
        assertEquals(Optional.empty(), adaptation.updateContainer("c1", () -> POD, () -> container("c1"), asked::build));
        join(plugin("10", "pinning").answer("UpdateContainer", message -> UpdateContainerResponse.newBuilder()
                .addUpdate(cpus("c1", "2")).addUpdate(cpus("c9", "3")).build()));
        assertEquals("2", adaptation.updateContainer("c1", () -> POD, () -> container("c1"), asked::build).orElseThrow()
                .getCpu().getCpus());
        assertEquals(List.of("c9"), runtime.updates.stream().map(ContainerUpdate::getContainerId).toList());
    }

    @Test
    void aValidatorRejectsAndOneThatIsSilentDoesNotApprove() throws Exception {
        start(Duration.ofMillis(300), ValidatorSettings.OFF);
        TestPlugin validator = join(plugin("10", "validator").answer("ValidateContainerAdjustment",
                message -> ValidateContainerAdjustmentResponse.newBuilder().setReject(true).setReason("not here").build()));
        RuntimeFault rejected = assertThrows(RuntimeFault.class, () -> create("c1"));
        assertEquals(RuntimeFault.Kind.PERMISSION_DENIED, rejected.kind());
        assertTrue(rejected.getMessage().contains("10-validator rejects it: not here"), rejected.getMessage());
        CountDownLatch never = new CountDownLatch(1);
        validator.answer("ValidateContainerAdjustment", message -> {
            awaitLatch(never);
            return ValidateContainerAdjustmentResponse.getDefaultInstance();
        });
        assertTrue(assertThrows(RuntimeFault.class, () -> create("c1")).getMessage().contains("does not answer"));
        validator.awaitEnd();
        create("c1");
        never.countDown();
    }

    @Test
    void theBuiltInValidatorRefusesWhatIsForbiddenAndMissesWhatIsRequired() throws Exception {
        start(Duration.ofSeconds(20), new ValidatorSettings(true, true, false, false, false, false, false,
                List.of("needed"), ""));
        assertTrue(assertThrows(RuntimeFault.class, () -> create("c1")).getMessage().contains("[needed]"));
        TestPlugin plugin = join(plugin("10", "needed"));
        create("c1");
        plugin.answer("CreateContainer", message -> {
            CreateContainerResponse.Builder answer = CreateContainerResponse.newBuilder();
            answer.getAdjustBuilder().getHooksBuilder().addPoststartBuilder().setPath("/hook");
            return answer.build();
        });
        String refused = assertThrows(RuntimeFault.class, () -> create("c2")).getMessage();
        assertTrue(refused.contains("10-needed changes OCI hooks"), refused);
    }

    @Test
    void theSocketIsRootsAloneAndOneThatAnotherHoldsIsLeftToIt() throws IOException {
        start();
        assertEquals("rw-------", java.nio.file.attribute.PosixFilePermissions.toString(
                Files.getPosixFilePermissions(directory.resolve("nri.sock"))));
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> PluginListener.start(directory.resolve("nri.sock"), channel -> { }));
        assertTrue(fault.getMessage().contains("another runtime answers"), fault.getMessage());
        adaptation.close();
        assertFalse(Files.exists(directory.resolve("nri.sock")));
    }
}
