package io.berth.nri.conflict;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.Field;
import io.berth.nri.v1.LinuxDevice;
import io.berth.nri.v1.LinuxResources;
import io.berth.nri.v1.Mount;
import io.berth.nri.v1.OptionalInt;
import io.berth.nri.v1.OptionalInt64;
import io.berth.nri.v1.OptionalUInt64;
import io.berth.nri.v1.POSIXRlimit;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CollectAdjustmentsTest {

    private static final Container CONTAINER = Container.newBuilder().setId("c1").addEnv("A=1").addEnv("B=2")
            .putAnnotations("old", "x").addMounts(mount("/data", "/host")).build();

    private final Owners owners = new Owners();
    private final CollectAdjustments all = new CollectAdjustments(CONTAINER, owners);

    private static Mount mount(String destination, String source) {
        return Mount.newBuilder().setDestination(destination).setSource(source).setType("bind").addOptions("ro").build();
    }

    private static ContainerAdjustment adjustment(Consumer<ContainerAdjustment.Builder> fill) {
        ContainerAdjustment.Builder builder = ContainerAdjustment.newBuilder();
        fill.accept(builder);
        return builder.build();
    }

    private static ContainerAdjustment env(String key, String value) {
        return adjustment(each -> each.addEnvBuilder().setKey(key).setValue(value));
    }

    static Stream<Consumer<ContainerAdjustment.Builder>> changesOfOneThing() {
        return Stream.of(
                each -> each.putAnnotations("k", "v"),
                each -> each.addEnvBuilder().setKey("K").setValue("v"),
                each -> each.addMounts(mount("/m", "/s")),
                each -> each.addArgs("sh"),
                each -> each.addRlimitsBuilder().setType("RLIMIT_CORE"),
                each -> each.addCDIDevicesBuilder().setName("v.com/c=d"),
                each -> each.getLinuxBuilder().addDevicesBuilder().setPath("/dev/x").setType("c"),
                each -> each.getLinuxBuilder().addNamespacesBuilder().setType("network").setPath("/n"),
                each -> each.getLinuxBuilder().putSysctl("net.core.somaxconn", "1"),
                each -> each.getLinuxBuilder().putNetDevices("eth9", io.berth.nri.v1.LinuxNetDevice.getDefaultInstance()),
                each -> each.getLinuxBuilder().setCgroupsPath("/x"),
                each -> each.getLinuxBuilder().getOomScoreAdjBuilder().setValue(1),
                each -> each.getLinuxBuilder().getIoPriorityBuilder().setPriority(1),
                each -> each.getLinuxBuilder().getSchedulerBuilder().setNice(1),
                each -> each.getLinuxBuilder().getSeccompPolicyBuilder().setDefaultAction("SCMP_ACT_ALLOW"),
                each -> each.getLinuxBuilder().getMemoryPolicyBuilder().setNodes("0"),
                each -> each.getLinuxBuilder().getRdtBuilder().getClosIdBuilder().setValue("gold"),
                each -> each.getLinuxBuilder().getResourcesBuilder().getMemoryBuilder().getLimitBuilder().setValue(1),
                each -> each.getLinuxBuilder().getResourcesBuilder().getCpuBuilder().setCpus("0"),
                each -> each.getLinuxBuilder().getResourcesBuilder().getPidsBuilder().setLimit(1),
                each -> each.getLinuxBuilder().getResourcesBuilder().putUnified("memory.high", "1"),
                each -> each.getLinuxBuilder().getResourcesBuilder().addHugepageLimitsBuilder().setPageSize("2MB"),
                each -> each.getLinuxBuilder().getResourcesBuilder().getBlockioClassBuilder().setValue("slow"),
                each -> each.getLinuxBuilder().getResourcesBuilder().getRdtClassBuilder().setValue("gold"));
    }

    @ParameterizedTest
    @MethodSource("changesOfOneThing")
    void twoPluginsThatChangeTheSameThingAreRefusedByName(Consumer<ContainerAdjustment.Builder> change) {
        all.add(adjustment(change), "00-one");
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> all.add(adjustment(change), "10-two"));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("00-one and 10-two"), fault.getMessage());
    }

    @Test
    void differentThingsOfTwoPluginsAddUpAndTheSecondSeesTheFirst() {
        all.add(env("C", "3"), "00-one");
        assertEquals(List.of("A=1", "B=2", "C=3"), all.container().getEnvList());
        all.add(env("A", "9"), "10-two");
        assertEquals(List.of("B=2", "C=3", "A=9"), all.container().getEnvList());
        assertEquals(2, all.adjustment().getEnvCount());
        var simple = owners.message().getOwnersOrThrow("c1").getCompoundOrThrow(Field.Env_VALUE);
        assertEquals("00-one", simple.getOwnersOrThrow("C"));
        assertEquals("10-two", simple.getOwnersOrThrow("A"));
    }

    @Test
    void whatAPluginRemovesItMaySetAnew() {
        all.add(env("C", "3"), "00-one");
        all.add(adjustment(each -> {
            each.addEnvBuilder().setKey("-C");
            each.addEnvBuilder().setKey("C").setValue("4");
        }), "10-two");
        assertEquals(List.of("A=1", "B=2", "C=4"), all.container().getEnvList());
        assertEquals(List.of("C=4"), all.adjustment().getEnvList().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
        assertThrows(RuntimeFault.class, () -> all.add(env("C", "5"), "20-three"));
    }

    @Test
    void aRemovalAloneIsPassedOn() {
        all.add(adjustment(each -> each.addEnvBuilder().setKey("-A")), "00-one");
        all.add(adjustment(each -> each.addMounts(Mount.newBuilder().setDestination("-/data"))), "00-one");
        all.add(adjustment(each -> each.putAnnotations("-old", "")), "00-one");
        assertEquals(List.of("B=2"), all.container().getEnvList());
        assertEquals(0, all.container().getMountsCount());
        assertEquals(0, all.container().getAnnotationsCount());
        assertEquals("-A", all.adjustment().getEnv(0).getKey());
        assertEquals("-/data", all.adjustment().getMounts(0).getDestination());
        assertTrue(all.adjustment().containsAnnotations("-old"));
    }

    @Test
    void argumentsAreTakenOverOnlyWhenThatIsSaid() {
        all.add(adjustment(each -> each.addArgs("sh")), "00-one");
        all.add(adjustment(each -> each.addArgs("").addArgs("ash").addArgs("-c")), "10-two");
        assertEquals(List.of("ash", "-c"), all.adjustment().getArgsList());
    }

    @Test
    void hooksOfAllPluginsAddUp() {
        all.add(adjustment(each -> each.getHooksBuilder().addPoststopBuilder().setPath("/a")), "00-one");
        all.add(adjustment(each -> each.getHooksBuilder().addPoststopBuilder().setPath("/b")), "10-two");
        assertEquals(2, all.adjustment().getHooks().getPoststopCount());
        assertEquals("00-one,10-two", owners.message().getOwnersOrThrow("c1").getSimpleOrThrow(Field.OciHooks_VALUE));
    }

    static Stream<Consumer<ContainerAdjustment.Builder>> nonsense() {
        return Stream.of(
                each -> each.addMounts(mount("relative", "/s")),
                each -> each.addMounts(mount("/a/../../etc", "/s")),
                each -> each.addMounts(mount("/a", "s")),
                each -> each.addMounts(mount("/", "/s")),
                each -> each.addMounts(mount("/a\0b", "/s")),
                each -> each.addEnvBuilder().setKey("A=B"),
                each -> each.addEnvBuilder().setKey(""),
                each -> each.addEnvBuilder().setKey("A").setValue("x\0y"),
                each -> each.addArgs("x\0y"),
                each -> each.putAnnotations("-", ""),
                each -> each.getHooksBuilder().addPrestartBuilder().setPath("hook"),
                each -> each.addRlimits(POSIXRlimit.newBuilder().setType("NOFILE")),
                each -> each.addRlimits(POSIXRlimit.newBuilder().setType("RLIMIT_NOFILE").setSoft(2).setHard(1)),
                each -> each.getLinuxBuilder().addDevices(LinuxDevice.newBuilder().setPath("/dev/x").setType("q")),
                each -> each.getLinuxBuilder().addNamespacesBuilder().setType("net"),
                each -> each.getLinuxBuilder().addNamespacesBuilder().setType("ipc").setPath("x"),
                each -> each.getLinuxBuilder().putSysctl("a/../b", "1"),
                each -> each.getLinuxBuilder().setCgroupsPath("/"),
                each -> each.getLinuxBuilder().setCgroupsPath("/a/../b"),
                each -> each.getLinuxBuilder().setCgroupsPath("a"));
    }

    @ParameterizedTest
    @MethodSource("nonsense")
    void nonsenseIsRefusedWithThePluginsName(Consumer<ContainerAdjustment.Builder> change) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> all.add(adjustment(change), "00-one"));
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().startsWith("NRI plugin 00-one adjusts container c1: "), fault.getMessage());
    }

    private static ContainerUpdate update(String id, boolean ignore, Consumer<LinuxResources.Builder> fill) {
        ContainerUpdate.Builder update = ContainerUpdate.newBuilder().setContainerId(id).setIgnoreFailure(ignore);
        fill.accept(update.getLinuxBuilder().getResourcesBuilder());
        return update.build();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void updatesOfOneLimitByTwoPluginsConflictUnlessTheSecondMayFail(boolean ignore) {
        CollectUpdates updates = new CollectUpdates(new Owners());
        Consumer<LinuxResources.Builder> shares = each -> each.getCpuBuilder().setShares(OptionalUInt64.newBuilder().setValue(7));
        updates.add(List.of(update("c2", false, shares)), "00-one");
        List<ContainerUpdate> second = List.of(update("c2", ignore,
                each -> each.getCpuBuilder().setShares(OptionalUInt64.newBuilder().setValue(8))));
        if (ignore) {
            updates.add(second, "10-two");
        } else {
            assertThrows(RuntimeFault.class, () -> updates.add(second, "10-two"));
        }
        assertEquals(7, updates.of("c2").getCpu().getShares().getValue());
        assertEquals(1, updates.others("").size());
        assertTrue(updates.others("c2").isEmpty());
    }

    @Test
    void anUpdateBeginsWithWhatTheClientAsked() {
        CollectUpdates updates = new CollectUpdates(new Owners());
        LinuxResources.Builder asked = LinuxResources.newBuilder();
        asked.getMemoryBuilder().setLimit(OptionalInt64.newBuilder().setValue(100));
        asked.getCpuBuilder().setCpus("0");
        updates.begin("c1", asked.build());
        updates.add(List.of(update("c1", false, each -> each.getCpuBuilder().setCpus("1"))), "00-one");
        assertEquals(100, updates.of("c1").getMemory().getLimit().getValue());
        assertEquals("1", updates.of("c1").getCpu().getCpus());
        assertTrue(updates.others("c1").isEmpty());
    }

    @Test
    void zeroIsAValue() {
        all.add(adjustment(each -> each.getLinuxBuilder().setOomScoreAdj(OptionalInt.getDefaultInstance())), "00-one");
        assertTrue(all.adjustment().getLinux().hasOomScoreAdj());
    }
}
