package io.berth.nri.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.IOPrioClass;
import io.berth.nri.v1.LinuxSchedulerPolicy;
import io.berth.nri.v1.MpolMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

class AdjustSpecTest {

    private static final String OLD_RUNTIME = "{\"ociVersionMax\": \"1.0.2-dev\"}";
    private static final String NEW_RUNTIME = """
            {"ociVersionMax": "1.3.0", "linux": {"netDevices": {"enabled": true}, "memoryPolicy": {"modes": []}}}""";

    private final ObjectNode spec = (ObjectNode) json("""
            {"process": {"args": ["sleep"], "env": ["A=1", "B=2"], "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 9, "soft": 9}],
              "oomScoreAdj": 100, "user": {"uid": 5, "gid": 6}},
             "annotations": {"k": "v"},
             "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/data/deep", "type": "bind", "source": "/x", "options": ["rbind"]}],
             "linux": {"cgroupsPath": "/pods/c", "namespaces": [{"type": "network", "path": "/n"}, {"type": "pid"}],
               "devices": [{"path": "/dev/old", "type": "c", "major": 1, "minor": 1}],
               "resources": {"memory": {"limit": 100, "swap": 100}, "cpu": {"shares": 2}, "devices": []}}}""");
    private final List<String> injected = new ArrayList<>();

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }

    private void adjust(String features, Consumer<ContainerAdjustment.Builder> fill) {
        ContainerAdjustment.Builder wanted = ContainerAdjustment.newBuilder();
        fill.accept(wanted);
        new AdjustSpec(spec, new SpecAbilities("runc", json(features), false, false, score -> Math.max(score, 0),
                name -> JsonNodeFactory.instance.objectNode().put("weight", 10), (names, target) -> injected.addAll(names)))
                .apply(wanted.build());
    }

    private JsonNode at(String pointer) {
        return spec.at(pointer);
    }

    @Test
    void theProcessIsAdjusted() {
        adjust(OLD_RUNTIME, wanted -> {
            wanted.addEnvBuilder().setKey("-A");
            wanted.addEnvBuilder().setKey("B").setValue("3");
            wanted.addEnvBuilder().setKey("C").setValue("4");
            wanted.addArgs("sh").addArgs("-c");
            wanted.addRlimitsBuilder().setType("RLIMIT_NOFILE").setHard(-1).setSoft(20);
            wanted.getLinuxBuilder().getOomScoreAdjBuilder().setValue(-5);
        });
        assertEquals(json("[\"B=3\", \"C=4\"]"), at("/process/env"));
        assertEquals(json("[\"sh\", \"-c\"]"), at("/process/args"));
        assertEquals("[{\"type\":\"RLIMIT_NOFILE\",\"hard\":18446744073709551615,\"soft\":20}]", at("/process/rlimits").toString());
        assertEquals(0, at("/process/oomScoreAdj").asInt());
    }

    @Test
    void annotationsHooksAndCdiDevicesAreAdded() {
        adjust(OLD_RUNTIME, wanted -> {
            wanted.putAnnotations("-k", "").putAnnotations("n", "w");
            wanted.getHooksBuilder().addCreateRuntimeBuilder().setPath("/hook").addArgs("hook").addEnv("X=1")
                    .getTimeoutBuilder().setValue(3);
            wanted.addCDIDevicesBuilder().setName("v.com/gpu=0");
        });
        assertEquals(json("{\"n\": \"w\"}"), at("/annotations"));
        assertEquals(json("[{\"path\":\"/hook\",\"args\":[\"hook\"],\"env\":[\"X=1\"],\"timeout\":3}]").toString(),
                at("/hooks/createRuntime").toString());
        assertEquals(List.of("v.com/gpu=0"), injected);
    }

    @Test
    void mountsAreReplacedRemovedAndOrderedByDepth() {
        adjust(OLD_RUNTIME, wanted -> {
            wanted.addMountsBuilder().setDestination("-/proc");
            wanted.addMountsBuilder().setDestination("/data").setType("bind").setSource("/y").addOptions("rbind").addOptions("ro");
            wanted.addMountsBuilder().setDestination("/data/deep/").setType("bind").setSource("/z").addOptions("rbind");
        });
        assertEquals(List.of("/y", "/z"), at("/mounts").valueStream().map(each -> each.path("source").asString()).toList());
    }

    @Test
    void devicesNamespacesSysctlsAndCgroupAreAdjusted() {
        adjust(OLD_RUNTIME, wanted -> {
            var linux = wanted.getLinuxBuilder();
            linux.addDevicesBuilder().setPath("-/dev/old");
            linux.addDevicesBuilder().setPath("/dev/new").setType("c").setMajor(10).setMinor(200).getFileModeBuilder()
                    .setValue(0440);
            linux.addNamespacesBuilder().setType("-network");
            linux.addNamespacesBuilder().setType("pid").setPath("/p");
            linux.putSysctl("net.core.somaxconn", "99").setCgroupsPath("/other/c");
        });
        assertEquals(1, at("/linux/devices").size());
        assertEquals(288, at("/linux/devices/0/fileMode").asInt());
        assertEquals("rm", at("/linux/resources/devices/0/access").asString());
        assertEquals("[{\"type\":\"pid\",\"path\":\"/p\"}]", at("/linux/namespaces").toString());
        assertEquals("99", at("/linux/sysctl/net.core.somaxconn").asString());
        assertEquals("/other/c", at("/linux/cgroupsPath").asString());
    }

    @Test
    void limitsAreAdjustedAndSwapFollowsMemory() {
        adjust(OLD_RUNTIME, wanted -> {
            var limits = wanted.getLinuxBuilder().getResourcesBuilder();
            limits.getMemoryBuilder().getLimitBuilder().setValue(500);
            limits.getCpuBuilder().setCpus("0-1").getQuotaBuilder().setValue(-1);
            limits.getPidsBuilder().setLimit(7);
            limits.addHugepageLimitsBuilder().setPageSize("2MB").setLimit(4);
            limits.getBlockioClassBuilder().setValue("slow");
        });
        assertEquals("{\"limit\":500,\"swap\":500}", at("/linux/resources/memory").toString());
        assertEquals("{\"shares\":2,\"quota\":-1,\"cpus\":\"0-1\"}", at("/linux/resources/cpu").toString());
        assertEquals(7, at("/linux/resources/pids/limit").asInt());
        assertEquals("[{\"pageSize\":\"2MB\",\"limit\":4}]", at("/linux/resources/hugepageLimits").toString());
        assertEquals(10, at("/linux/resources/blockIO/weight").asInt());
    }

    @Test
    void aSeccompPolicyTakesThePlaceOfTheOld() {
        adjust(OLD_RUNTIME, wanted -> wanted.getLinuxBuilder().getSeccompPolicyBuilder().setDefaultAction("SCMP_ACT_ALLOW")
                .addArchitectures("SCMP_ARCH_X86_64").addSyscallsBuilder().addNames("mkdir").setAction("SCMP_ACT_ERRNO")
                .getErrnoRetBuilder().setValue(1));
        assertEquals("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\"],\"syscalls\":"
                + "[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1}]}", at("/linux/seccomp").toString());
    }

    static List<Consumer<ContainerAdjustment.Builder>> newFields() {
        return List.of(
                wanted -> wanted.getLinuxBuilder().getIoPriorityBuilder().setClass_(IOPrioClass.IOPRIO_CLASS_BE).setPriority(3),
                wanted -> wanted.getLinuxBuilder().getSchedulerBuilder().setPolicy(LinuxSchedulerPolicy.SCHED_BATCH),
                wanted -> wanted.getLinuxBuilder().getMemoryPolicyBuilder().setMode(MpolMode.MPOL_BIND).setNodes("0"),
                wanted -> wanted.getLinuxBuilder().putNetDevices("eth9", io.berth.nri.v1.LinuxNetDevice.getDefaultInstance()));
    }

    @ParameterizedTest
    @MethodSource("newFields")
    void whatAnOldRuntimeWouldIgnoreIsRefusedAndANewOneGetsIt(Consumer<ContainerAdjustment.Builder> field) {
        ObjectNode before = spec.deepCopy();
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> adjust(OLD_RUNTIME, field));
        assertEquals(RuntimeFault.Kind.UNSUPPORTED, fault.kind());
        assertTrue(fault.getMessage().contains("runc"), fault.getMessage());
        assertThrows(RuntimeFault.class, () -> adjust("{}", field));
        adjust(NEW_RUNTIME, field);
        assertFalse(spec.equals(before));
    }

    @Test
    void whatTheNodeCannotDoIsRefused() {
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, assertThrows(RuntimeFault.class, () -> adjust(NEW_RUNTIME,
                wanted -> wanted.getLinuxBuilder().getResourcesBuilder().putUnified("memory.high", "1"))).kind());
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, assertThrows(RuntimeFault.class, () -> adjust(NEW_RUNTIME,
                wanted -> wanted.getLinuxBuilder().getRdtBuilder().getClosIdBuilder().setValue("gold"))).kind());
    }

    @Test
    void aContainerIsDescribedByItsSpecification() {
        Container.Builder built = Container.newBuilder().setId("c1");
        new DescribeSpec(spec).into(built);
        Container container = built.build();
        assertEquals(List.of("A=1", "B=2"), container.getEnvList());
        assertEquals(List.of("sleep"), container.getArgsList());
        assertEquals("/data/deep", container.getMounts(1).getDestination());
        assertEquals("/pods/c", container.getLinux().getCgroupsPath());
        assertEquals(100, container.getLinux().getResources().getMemory().getLimit().getValue());
        assertEquals(100, container.getLinux().getOomScoreAdj().getValue());
        assertEquals(5, container.getUser().getUid());
        assertEquals("/n", container.getLinux().getNamespaces(0).getPath());
    }

    /** Plugins in Go take these for granted, because the Go runtimes always send them. */
    @Test
    void whatGoPluginsLookIntoWithoutAskingIsThere() {
        Container.Builder built = Container.newBuilder();
        new DescribeSpec(json("{}")).into(built);
        assertTrue(built.hasHooks() && built.hasLinux() && built.getLinux().hasResources());
        assertTrue(built.getLinux().getResources().hasMemory() && built.getLinux().getResources().hasCpu());
    }
}
