package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.CreateContainerRequest;
import io.berth.cri.v1.Device;
import io.berth.cri.v1.KeyValue;
import io.berth.cri.v1.ListContainersRequest;
import io.berth.cri.v1.ListPodSandboxRequest;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.PortMapping;
import io.berth.cri.v1.RunPodSandboxRequest;
import io.berth.cri.v1.StopContainerRequest;
import io.berth.cri.v1.UpdateContainerResourcesRequest;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no client should make: each is refused as the client's mistake, and nothing comes of it. */
@Timeout(120)
class BadInputConformanceIT {

    private static final int NO_SUCH_VALUE = 4242;
    private static final String UNKNOWN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @RegisterExtension
    static final Cri CRI = new Cri();

    @BeforeEach
    void whatIsRefusedDiffersBetweenRuntimes() {
        CRI.onlyOnBerth("what is refused beyond the interface's words differs");
    }

    private static void podRefused(Consumer<PodSandboxConfig.Builder> change, String... words) {
        Cri.refusedAsWrong(() -> CRI.pod(change), words);
    }

    private static void containerRefused(Cri.Pod pod, Consumer<ContainerConfig.Builder> change, String... words) {
        Cri.refusedAsWrong(() -> CRI.create(pod, change, "true"), words);
    }

    // --- enums

    /** A copy for each enum field below {@code message} that is reached by single fields or first elements, out of range there. */
    private static List<Message> outOfRange(Message message, int depth) {
        List<Message> copies = new ArrayList<>();
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (field.getJavaType() == FieldDescriptor.JavaType.ENUM) {
                copies.add(message.toBuilder().setField(field, field.getEnumType().findValueByNumberCreatingIfUnknown(NO_SUCH_VALUE)).build());
            } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isMapField() && depth > 0) {
                Message.Builder builder = message.toBuilder();
                boolean filled = field.isRepeated() ? message.getRepeatedFieldCount(field) > 0 : message.hasField(field);
                Message inner = !filled ? builder.newBuilderForField(field).build()
                        : (Message) (field.isRepeated() ? message.getRepeatedField(field, 0) : message.getField(field));
                for (Message wrong : outOfRange(inner, depth - 1)) {
                    Message.Builder copy = message.toBuilder();
                    if (field.isRepeated()) {
                        copies.add(copy.clearField(field).addRepeatedField(field, wrong).build());
                    } else {
                        copies.add(copy.setField(field, wrong).build());
                    }
                }
            }
        }
        return copies;
    }

    @TestFactory
    Stream<DynamicTest> everyEnumOutOfRangeIsRefused() {
        Message pod = RunPodSandboxRequest.newBuilder().setConfig(CRI.podConfig()).build();
        Message container = CreateContainerRequest.newBuilder().setPodSandboxId(UNKNOWN)
                .setConfig(ContainerConfig.getDefaultInstance()).setSandboxConfig(PodSandboxConfig.getDefaultInstance()).build();
        Message pods = ListPodSandboxRequest.getDefaultInstance();
        Message containers = ListContainersRequest.getDefaultInstance();
        return Stream.of(pod, container, pods, containers).flatMap(valid -> outOfRange(valid, 6).stream()).map(wrong ->
                dynamicTest(wrong.getClass().getSimpleName() + " " + wrong.toString().lines().filter(line ->
                        line.contains("" + NO_SUCH_VALUE)).findFirst().orElse("").strip(), () ->
                        Cri.refused(Status.Code.INVALID_ARGUMENT, () -> {
                            switch (wrong) {
                                case RunPodSandboxRequest request -> CRI.runtime().runPodSandbox(request);
                                case CreateContainerRequest request -> CRI.runtime().createContainer(request);
                                case ListPodSandboxRequest request -> CRI.runtime().listPodSandbox(request);
                                case ListContainersRequest request -> CRI.runtime().listContainers(request);
                                default -> throw new AssertionError(wrong.getClass());
                            }
                        }, Integer.toString(NO_SUCH_VALUE))));
    }

    // --- ids

    @Test
    void everyCallSaysNotFoundOrSucceedsForAnUnknownId() {
        for (Unary call : Unary.all()) {
            Message.Builder request = call.newRequest();
            for (FieldDescriptor field : request.getDescriptorForType().getFields()) {
                if (field.getName().matches("container_id|pod_sandbox_id")) {
                    request.setField(field, UNKNOWN);
                } else if (field.getName().equals("cmd")) {
                    request.addRepeatedField(field, "true");
                } else if (field.getName().equals("stdout")) {
                    request.setField(field, true);
                } else if (call.name().equals("CreateContainer") && field.getName().equals("config")) {
                    request.setField(field, CRI.containerConfig(new Cri.Pod(UNKNOWN, PodSandboxConfig.getDefaultInstance()), "true").build());
                }
            }
            if (call.field("container_id") != null || call.field("pod_sandbox_id") != null) {
                Status.Code code = call.invoke(CRI.underTest().connection().channel(), request.build());
                List<Status.Code> right = switch (call.name()) {
                    case "StopContainer", "RemoveContainer", "StopPodSandbox", "RemovePodSandbox" -> List.of(Status.Code.OK);
                    case "CheckpointContainer", "CheckpointPod" -> List.of(Status.Code.NOT_FOUND, Status.Code.UNIMPLEMENTED,
                            Status.Code.INVALID_ARGUMENT);
                    default -> List.of(Status.Code.NOT_FOUND);
                };
                assertTrue(right.contains(code), call.name() + ": " + code);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../..", "/etc/passwd", "a/b", "%2e%2e", "*", " ", "\n"})
    void whatIsNoIdIsNotFound(String id) {
        Cri.refused(Status.Code.NOT_FOUND, () -> CRI.status(id));
        Cri.refused(Status.Code.NOT_FOUND, () -> PodSandboxConformanceIT.status(CRI, id));
        CRI.runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(id).build());
    }

    @Test
    void aNegativeTimeIsRefused() {
        Cri.refused(Status.Code.INVALID_ARGUMENT, () -> CRI.runtime().stopContainer(
                StopContainerRequest.newBuilder().setContainerId(UNKNOWN).setTimeout(-1).build()));
        String container = CRI.sleeper(CRI.pod());
        Cri.refused(Status.Code.INVALID_ARGUMENT, () -> CRI.runtime().execSync(io.berth.cri.v1.ExecSyncRequest.newBuilder()
                .setContainerId(container).addCmd("true").setTimeout(-1).build()));
    }

    @Test
    void anEndlessTimeIsTaken() {
        String container = CRI.sleeper(CRI.pod());
        assertEquals(0, CRI.runtime().execSync(io.berth.cri.v1.ExecSyncRequest.newBuilder().setContainerId(container)
                .addCmd("true").setTimeout(Long.MAX_VALUE).build()).getExitCode());
        String stopped = CRI.run(CRI.pod(), config -> { }, "sh", "-c", "trap 'exit 0' TERM; touch /ready; while :; do sleep 0.05; done");
        Cri.await("the trap", () -> CRI.exec(stopped, "test", "-e", "/ready").getExitCode() == 0);
        CRI.runtime().stopContainer(StopContainerRequest.newBuilder().setContainerId(stopped).setTimeout(Long.MAX_VALUE).build());
        assertEquals(0, CRI.status(stopped).getExitCode());
    }

    // --- names and texts

    @ParameterizedTest
    @ValueSource(strings = {"a/b", "../up", "a\nb", "a\0b", "\u001b[31m"})
    void aNameWithSeparatorsOrControlCharactersDoesNotReachAPath(String name) throws Exception {
        podRefused(config -> config.getMetadataBuilder().setName(name));
        podRefused(config -> config.getMetadataBuilder().setNamespace(name));
        podRefused(config -> config.getMetadataBuilder().setUid(name));
        containerRefused(CRI.pod(), config -> config.getMetadataBuilder().setName(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a\nb", "a\tb 192.0.2.1 evil", "a\0b", "-a", "a/b", "ü"})
    void aHostnameThatIsNoneIsRefused(String hostname) {
        podRefused(config -> config.setHostname(hostname), "hostname");
    }

    @Test
    void aHostnameIsAtMost64Long() {
        podRefused(config -> config.setHostname("a".repeat(65)), "64");
        assertEquals("a".repeat(64) + "\n", CRI.out(CRI.sleeper(CRI.pod(config -> config.setHostname("a".repeat(64)))), "hostname"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1\nsearch evil", "a b", "", "\0", "a\rb"})
    void aDnsFieldThatWouldBeTwoIsRefused(String value) {
        podRefused(config -> config.getDnsConfigBuilder().addServers(value));
        podRefused(config -> config.getDnsConfigBuilder().addSearches(value));
        podRefused(config -> config.getDnsConfigBuilder().addOptions(value));
    }

    @Test
    void anEnvironmentThatCannotBeIsRefused() {
        var pod = CRI.pod();
        for (KeyValue.Builder bad : List.of(KeyValue.newBuilder().setKey("").setValue(ByteString.copyFromUtf8("x")),
                KeyValue.newBuilder().setKey("A=B").setValue(ByteString.copyFromUtf8("x")),
                KeyValue.newBuilder().setKey("A\0B").setValue(ByteString.copyFromUtf8("x")),
                KeyValue.newBuilder().setKey("A").setValue(ByteString.copyFrom(new byte[] {'x', 0, 'y'})))) {
            containerRefused(pod, config -> config.addEnvs(bad), "env");
        }
    }

    @Test
    void lineBreaksInAnEnvironmentStayInTheirVariable() {
        String container = CRI.sleeper(CRI.pod(), config -> config.addEnvs(
                KeyValue.newBuilder().setKey("A").setValue(ByteString.copyFromUtf8("one\nB=two"))));
        assertEquals("one\nB=two|\n", CRI.out(container, "sh", "-c", "echo \"$A|$B\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sailor:x", "sai\nlor", "root\0", "a/b", "-1", "99999999999999999999", "4294967295"})
    void aUserNameThatIsNoneIsRefused(String name) {
        containerRefused(CRI.pod(), config -> config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername(name));
    }

    @Test
    void aCommandWithAZeroByteIsRefused() {
        var pod = CRI.pod();
        containerRefused(pod, config -> config.clearCommand().addCommand("tr\0ue"));
        containerRefused(pod, config -> config.addArgs("a\0b"));
        containerRefused(pod, config -> config.clearCommand().addCommand(""));
        String container = CRI.sleeper(pod);
        Cri.refusedAsWrong(() -> CRI.exec(container, "ec\0ho"));
        Cri.refusedAsWrong(() -> CRI.exec(container, ""));
    }

    @Test
    void aWorkingDirectoryMustBeAbsolute() {
        var pod = CRI.pod();
        containerRefused(pod, config -> config.setWorkingDir("work"));
        containerRefused(pod, config -> config.setWorkingDir("/a\0b"));
    }

    // --- paths

    @Test
    void aPathMayHaveAnyLetters() throws Exception {
        Path directory = Files.createDirectory(CRI.directory().resolve("Käse \u6c34"));
        Files.writeString(directory.resolve("note"), "inside\n");
        assertEquals("inside\n", CRI.out(CRI.sleeper(CRI.pod(), config -> config.addMounts(Mount.newBuilder()
                .setHostPath(directory.toString()).setContainerPath("/größe"))), "cat", "/größe/note"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../out.log", "/../out.log", "sub/../../../out.log", "a\0b", "a\nb"})
    void aLogPathStaysInThePodsDirectory(String path) throws Exception {
        var pod = CRI.pod();
        containerRefused(pod, config -> config.setLogPath(path));
        assertFalse(Files.exists(Path.of(pod.config().getLogDirectory()).resolve("../../out.log")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"logs", "../logs", "/tmp/a\0b"})
    void aLogDirectoryMustBeAbsolute(String directory) {
        podRefused(config -> config.setLogDirectory(directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\0b"})
    void aMountThatCannotBeIsRefused(String path) throws Exception {
        Path good = CRI.directory();
        var pod = CRI.pod();
        containerRefused(pod, config -> config.addMounts(Mount.newBuilder().setHostPath(good.toString()).setContainerPath(path)));
        containerRefused(pod, config -> config.addMounts(Mount.newBuilder().setHostPath(path).setContainerPath("/data")));
    }

    @Test
    void aRelativeHostPathIsRefused() {
        containerRefused(CRI.pod(), config -> config.addMounts(Mount.newBuilder().setHostPath("relative").setContainerPath("/data")));
    }

    @Test
    void aMountPathThatLeadsUpEndsAtTheContainersRoot() throws Exception {
        Path directory = CRI.directory();
        Files.writeString(directory.resolve("note"), "inside\n");
        var pod = CRI.pod();
        String container = CRI.sleeper(pod, config -> config.addMounts(Mount.newBuilder().setHostPath(directory.toString())
                .setContainerPath("/../../up")));
        assertEquals("inside\n", CRI.out(container, "cat", "/up/note"));
        assertFalse(Files.exists(Path.of("/up")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "dev/null", "/dev/nu\0ll", "/proc/self/fd"})
    void aDeviceThatIsNoneIsRefused(String path) {
        containerRefused(CRI.pod(), config -> config.addDevices(Device.newBuilder().setHostPath(path).setContainerPath("/dev/x")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "rwmx", "RW", "r w"})
    void devicePermissionsAreOfThreeLetters(String permissions) {
        containerRefused(CRI.pod(), config -> config.addDevices(Device.newBuilder().setHostPath("/dev/null")
                .setContainerPath("/dev/x").setPermissions(permissions)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a/../../b", "../up", "relative/../../up", "/a\nb", "/a\0b"})
    void aCgroupParentThatLeadsUpIsRefused(String parent) {
        podRefused(config -> config.getLinuxBuilder().setCgroupParent(parent), "cgroup");
    }

    // --- numbers

    @Test
    void resourcesThatCannotBeAreRefused() {
        var pod = CRI.pod();
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpuPeriod(-1), "cpu_period");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpuPeriod(5), "cpu_period");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpuQuota(5), "cpu_quota");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpuShares(-1), "cpu_shares");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpuShares(1), "cpu_shares");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(-2), "memory_limit");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemorySwapLimitInBytes(-2), "memory_swap");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemorySwapLimitInBytes(64 << 20),
                "needs memory_limit_in_bytes");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(64 << 20)
                .setMemorySwapLimitInBytes(32 << 20), "memory_swap");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(1001), "oom_score_adj");
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(-1001), "oom_score_adj");
        for (String set : List.of("x", "0-", "1-0", "0,,1", "0\n", "-1", "99999999999")) {
            containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpusetCpus(set), "cpuset_cpus");
            containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().setCpusetMems(set), "cpuset_mems");
        }
        containerRefused(pod, config -> config.getLinuxBuilder().getResourcesBuilder().addHugepageLimitsBuilder().setPageSize("../2MB"),
                "page_size");
    }

    @Test
    void anUpdateThatCannotBeIsRefusedAndChangesNothing() {
        String container = CRI.sleeper(CRI.pod());
        var before = CRI.status(container).getResources();
        var request = UpdateContainerResourcesRequest.newBuilder().setContainerId(container);
        request.getLinuxBuilder().setCpuPeriod(-1);
        Cri.refusedAsWrong(() -> CRI.runtime().updateContainerResources(request.build()), "cpu_period");
        request.getLinuxBuilder().clear().setCpusetCpus("4000");
        Cri.refusedAsWrong(() -> CRI.runtime().updateContainerResources(request.build()));
        assertEquals(before, CRI.status(container).getResources());
    }

    @Test
    void aPortThatIsNoneIsRefused() {
        for (PortMapping.Builder bad : List.of(PortMapping.newBuilder().setContainerPort(70000).setHostPort(8080),
                PortMapping.newBuilder().setContainerPort(80).setHostPort(-1), PortMapping.newBuilder().setContainerPort(80).setHostPort(70000),
                PortMapping.newBuilder().setContainerPort(-1).setHostPort(30080),
                PortMapping.newBuilder().setContainerPort(80).setHostPort(30080).setHostIp("not an address"))) {
            podRefused(config -> config.addPortMappings(bad));
        }
        var pod = CRI.pod();
        Cri.refused(Status.Code.INVALID_ARGUMENT, () -> CRI.runtime().portForward(io.berth.cri.v1.PortForwardRequest.newBuilder()
                .setPodSandboxId(pod.id()).addPort(70000).build()));
    }

    // --- size

    @Test
    void manyLabelsAreKeptOrRefusedButDoNoHarm() {
        var pod = CRI.pod();
        String container = CRI.sleeper(pod, config -> {
            for (int i = 0; i < 100_000; i++) {
                config.putLabels("label-" + i, "value-" + i);
            }
        });
        assertEquals(100_000, CRI.status(container).getLabelsCount());
        var selector = ListContainersRequest.newBuilder();
        for (int i = 0; i < 100_000; i++) {
            selector.getFilterBuilder().putLabelSelector("label-" + i, "value-" + i);
        }
        assertEquals(1, CRI.runtime().listContainers(selector.build()).getContainersCount());
    }

    @Test
    void aRequestThatIsTooLargeIsRefused() {
        Cri.refused(Status.Code.RESOURCE_EXHAUSTED, () -> CRI.pod(config -> config.putAnnotations("large", "x".repeat(20 << 20))));
        assertEquals("fine\n", CRI.out(CRI.sleeper(CRI.pod()), "echo", "fine"));
    }

    @Test
    void muchOutputTakesNoMemoryFromTheDaemon() throws Exception {
        String container = CRI.sleeper(CRI.pod());
        int pid = CRI.underTest().daemonPid().orElseThrow();
        assertEquals(0, CRI.exec(container, "head", "-c", "100000000", "/dev/zero").getExitCode());
        long peakKilobytes = Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream().filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", ""))).findFirst().orElseThrow();
        // The heap is limited to 64 MiB; 100 MB went through.
        assertTrue(peakKilobytes < 400_000, () -> peakKilobytes + " kB at the peak");
    }
}
