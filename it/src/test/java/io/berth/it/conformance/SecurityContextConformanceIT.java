package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.SecurityProfile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a container may do: capabilities, privileges, seccomp, hidden and read-only paths, the root file system. */
@Timeout(120)
class SecurityContextConformanceIT {

    private static final int CHOWN = 0;
    private static final int NET_ADMIN = 12;
    private static final int NET_RAW = 13;
    private static final int SYS_ADMIN = 21;

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static Consumer<ContainerConfig.Builder> security(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return config -> change.accept(config.getLinuxBuilder().getSecurityContextBuilder());
    }

    private static String field(String status, String name) {
        return status.lines().filter(line -> line.startsWith(name + ":")).findFirst().orElseThrow()
                .substring(name.length() + 1).strip();
    }

    private static String status(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return CRI.script(CRI.pod(), security(change), "cat /proc/self/status");
    }

    private static long effective(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return Long.parseUnsignedLong(field(status(change), "CapEff"), 16);
    }

    private static boolean has(long set, int capability) {
        return (set & 1L << capability) != 0;
    }

    /** All that this test, and so the runtime, may hand on. */
    private static long all() throws Exception {
        return Long.parseUnsignedLong(field(Files.readString(Path.of("/proc/self/status")), "CapBnd"), 16);
    }

    @Test
    void theUsualCapabilitiesAreThoseOfThePeers() {
        assertEquals(0xa80425fbL, effective(context -> { }));
    }

    @Test
    void nothingIsInheritableOrAmbient() {
        String status = status(context -> { });
        assertEquals(0, Long.parseUnsignedLong(field(status, "CapInh"), 16));
        assertEquals(0, Long.parseUnsignedLong(field(status, "CapAmb"), 16));
    }

    @Test
    void capabilitiesAreAddedAndDropped() {
        long set = effective(context -> context.getCapabilitiesBuilder().addAddCapabilities("NET_ADMIN").addDropCapabilities("CHOWN"));
        assertTrue(has(set, NET_ADMIN) && !has(set, CHOWN) && has(set, NET_RAW), Long.toHexString(set));
    }

    @Test
    void allCapabilitiesAreAddedOrDropped() throws Exception {
        assertEquals(all(), effective(context -> context.getCapabilitiesBuilder().addAddCapabilities("ALL")));
        assertEquals(0, effective(context -> context.getCapabilitiesBuilder().addDropCapabilities("ALL")));
    }

    @Test
    void addingOneWinsOverDroppingAllAndDroppingOneOverAddingAll() throws Exception {
        assertEquals(1L << NET_ADMIN, effective(context -> context.getCapabilitiesBuilder()
                .addDropCapabilities("ALL").addAddCapabilities("NET_ADMIN")));
        assertEquals(all() & ~(1L << NET_ADMIN), effective(context -> context.getCapabilitiesBuilder()
                .addAddCapabilities("ALL").addDropCapabilities("NET_ADMIN")));
    }

    @Test
    void aCapabilityDoesWhatItIsFor() {
        var pod = CRI.pod();
        String with = CRI.sleeper(pod, security(context -> context.getCapabilitiesBuilder().addAddCapabilities("NET_ADMIN")));
        String without = CRI.sleeper(pod);
        assertEquals(0, CRI.exec(with, "ip", "link", "add", "name", "probe0", "type", "bridge").getExitCode());
        assertNotEquals(0, CRI.exec(without, "ip", "link", "add", "name", "probe1", "type", "bridge").getExitCode());
    }

    @Test
    void aContainersCommandsHaveItsCapabilities() {
        String container = CRI.sleeper(CRI.pod(), security(context -> context.getCapabilitiesBuilder().addDropCapabilities("ALL")));
        assertEquals("0000000000000000", field(CRI.out(container, "cat", "/proc/self/status"), "CapEff"));
    }

    @Test
    void anotherUserHasNoEffectiveCapabilities() {
        assertEquals(0, effective(context -> context.getRunAsUserBuilder().setValue(1001)));
    }

    @Test
    void aPrivilegedContainerHasAllCapabilitiesAndDevicesAndAWritableSys() throws Exception {
        var pod = CRI.pod(config -> config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true));
        String container = CRI.sleeper(pod, security(context -> context.setPrivileged(true)));
        String status = CRI.out(container, "cat", "/proc/self/status");
        assertEquals(all(), Long.parseUnsignedLong(field(status, "CapEff"), 16));
        assertEquals("0", field(status, "Seccomp"));
        String sys = CRI.out(container, "grep", " /sys sysfs ", "/proc/mounts");
        assertTrue(sys.contains("rw,"), sys);
        assertEquals(0, CRI.exec(container, "test", "-c", "/dev/kmsg").getExitCode());
    }

    @Test
    void anOrdinaryContainerHasNeither() {
        String container = CRI.sleeper(CRI.pod());
        assertTrue(CRI.out(container, "grep", " /sys sysfs ", "/proc/mounts").contains("ro,"));
        assertNotEquals(0, CRI.exec(container, "test", "-e", "/dev/kmsg").getExitCode());
        for (String device : new String[] {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}) {
            assertEquals(0, CRI.exec(container, "test", "-c", "/dev/" + device).getExitCode(), device);
        }
    }

    @Test
    void newPrivilegesAreRefusedWhenAskedFor() {
        assertEquals("1", field(status(context -> context.setNoNewPrivs(true)), "NoNewPrivs"));
        assertEquals("0", field(status(context -> { }), "NoNewPrivs"));
    }

    @Test
    void aReadOnlyRootTakesNoWritesButThePodsSharedMemoryDoes() {
        String container = CRI.sleeper(CRI.pod(), security(context -> context.setReadonlyRootfs(true)));
        assertNotEquals(0, CRI.exec(container, "touch", "/new").getExitCode());
        assertEquals(0, CRI.exec(container, "touch", "/dev/shm/new").getExitCode());
        assertEquals(0, CRI.exec(CRI.sleeper(CRI.pod()), "touch", "/new").getExitCode());
    }

    @Test
    void maskedPathsAreEmpty() {
        String container = CRI.sleeper(CRI.pod(), security(context -> context.addMaskedPaths("/desk").addMaskedPaths("/etc/group")
                .addMaskedPaths("/no/such/path")));
        assertEquals("", CRI.out(container, "ls", "/desk"));
        assertEquals("", CRI.out(container, "cat", "/etc/group"));
    }

    @Test
    void readOnlyPathsTakeNoWrites() {
        String container = CRI.sleeper(CRI.pod(), security(context -> context.addReadonlyPaths("/desk").addReadonlyPaths("/no/such/path")));
        assertEquals("here\n", CRI.out(container, "cat", "/desk/here"));
        assertNotEquals(0, CRI.exec(container, "touch", "/desk/new").getExitCode());
        assertEquals(0, CRI.exec(container, "touch", "/volume/new").getExitCode());
    }

    private static Consumer<LinuxContainerSecurityContext.Builder> seccomp(SecurityProfile.ProfileType type, String file) {
        return context -> context.getSeccompBuilder().setProfileType(type).setLocalhostRef(file);
    }

    @Test
    void theDefaultProfileFilters() {
        String container = CRI.sleeper(CRI.pod(), security(seccomp(SecurityProfile.ProfileType.RuntimeDefault, "")));
        assertEquals("2", field(CRI.out(container, "cat", "/proc/self/status"), "Seccomp"));
        assertNotEquals(0, CRI.exec(container, "unshare", "-U", "true").getExitCode());
    }

    @Test
    void withoutOrWithAnUnconfinedProfileNothingIsFiltered() {
        assertEquals("0", field(status(seccomp(SecurityProfile.ProfileType.Unconfined, "")), "Seccomp"));
        assertEquals("0", field(status(context -> { }), "Seccomp"));
    }

    private static String profileAgainstChmod() throws Exception {
        return Files.writeString(CRI.directory().resolve("no-chmod.json"), """
                {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                 {"names":["chmod","fchmod","fchmodat","fchmodat2"],"action":"SCMP_ACT_ERRNO"}]}
                """).toString();
    }

    @Test
    void aProfileOfTheNodeIsUsed() throws Exception {
        String profile = profileAgainstChmod();
        String container = CRI.sleeper(CRI.pod(), security(seccomp(SecurityProfile.ProfileType.Localhost, profile)));
        assertEquals(1, CRI.exec(container, "chmod", "700", "/desk").getExitCode());
        assertEquals(0, CRI.exec(container, "touch", "/desk/new").getExitCode());
    }

    @Test
    void aPrivilegedContainerIsNotFiltered() throws Exception {
        String profile = profileAgainstChmod();
        var pod = CRI.pod(config -> config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true));
        String container = CRI.sleeper(pod, security(context -> {
            context.setPrivileged(true);
            seccomp(SecurityProfile.ProfileType.Localhost, profile).accept(context);
        }));
        assertEquals(0, CRI.exec(container, "chmod", "700", "/desk").getExitCode());
    }

    @Test
    void aProfileThatIsNotThereIsRefused() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, security(seccomp(SecurityProfile.ProfileType.Localhost, "/no/such/profile.json")), "true"));
    }

    @Test
    void settingTheHostnameNeedsACapability() {
        var pod = CRI.pod();
        String without = CRI.sleeper(pod);
        assertNotEquals(0, CRI.exec(without, "hostname", "other").getExitCode());
        String with = CRI.sleeper(pod, security(context -> {
            context.getCapabilitiesBuilder().addAddCapabilities("SYS_ADMIN");
            seccomp(SecurityProfile.ProfileType.Unconfined, "").accept(context);
        }));
        assertEquals(0, CRI.exec(with, "hostname", "other").getExitCode());
        assertTrue(has(effective(context -> context.getCapabilitiesBuilder().addAddCapabilities("SYS_ADMIN")), SYS_ADMIN));
    }

    @Test
    void anUnknownCapabilityIsRefused() {
        CRI.onlyOnBerth("the interface does not say so, runc passes over it");
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, security(context -> context.getCapabilitiesBuilder().addAddCapabilities("NO_SUCH")), "true"));
    }

    @Test
    void anAppArmorProfileThatIsNotLoadedIsRefused() {
        var pod = CRI.pod();
        Cri.refused(() -> CRI.run(pod, security(context -> context.getApparmorBuilder()
                .setProfileType(SecurityProfile.ProfileType.Localhost).setLocalhostRef("no-such-profile")), "true"));
    }

    @Test
    void twoContainersOfOnePodMayDiffer() {
        var pod = CRI.pod();
        String first = CRI.sleeper(pod, security(context -> context.setReadonlyRootfs(true)));
        String second = CRI.sleeper(pod);
        assertNotEquals(0, CRI.exec(first, "touch", "/new").getExitCode());
        assertEquals(0, CRI.exec(second, "touch", "/new").getExitCode());
        assertFalse(first.equals(second));
        assertEquals(NamespaceMode.CONTAINER, pod.config().getLinux().getSecurityContext().getNamespaceOptions().getPid());
    }
}
