package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.SecurityProfile;
import io.berth.cri.v1.SecurityProfile.ProfileType;
import io.berth.linux.AppArmor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppArmorSpecTest {

    @TempDir
    private Path directory;

    private AppArmorSpec withKernel(String enabled, String profiles) throws IOException {
        Files.writeString(directory.resolve("enabled"), enabled);
        Files.writeString(directory.resolve("profiles"), profiles);
        return new AppArmorSpec(new AppArmor(directory, directory, List.of(directory)));
    }

    private static LinuxContainerSecurityContext asking(ProfileType type, String name) {
        return LinuxContainerSecurityContext.newBuilder()
                .setApparmor(SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(name)).build();
    }

    @Test
    void aProfileThatIsLoadedIsUsedAndOneThatIsNotIsRefused() throws IOException {
        AppArmorSpec spec = withKernel("Y\n", "berth-default (enforce)\nmine (complain)\nmine two (enforce)\n");
        assertEquals(Optional.of("mine"), spec.profile(asking(ProfileType.Localhost, "localhost/mine")));
        assertEquals(Optional.of("mine two"), spec.profile(asking(ProfileType.Localhost, "mine two")));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> spec.profile(asking(ProfileType.Localhost, "min")));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("not loaded"), fault.getMessage());
    }

    @Test
    void aContainerThatNamesNoneGetsTheDefaultUnlessItIsPrivileged() throws IOException {
        AppArmorSpec spec = withKernel("Y\n", "berth-default (enforce)\n");
        assertEquals(Optional.of("berth-default"), spec.profile(LinuxContainerSecurityContext.getDefaultInstance()));
        assertEquals(Optional.of("berth-default"), spec.profile(asking(ProfileType.RuntimeDefault, "")));
        assertEquals(Optional.empty(), spec.profile(asking(ProfileType.Unconfined, "")));
        assertEquals(Optional.empty(),
                spec.profile(LinuxContainerSecurityContext.newBuilder().setPrivileged(true).build()));
    }

    @Test
    @SuppressWarnings("deprecation")
    void theOlderFieldIsUnderstood() throws IOException {
        AppArmorSpec spec = withKernel("Y\n", "berth-default (enforce)\nmine (enforce)\n");
        assertEquals(Optional.of("mine"),
                spec.profile(LinuxContainerSecurityContext.newBuilder().setApparmorProfile("localhost/mine").build()));
        assertEquals(Optional.empty(),
                spec.profile(LinuxContainerSecurityContext.newBuilder().setApparmorProfile("unconfined").build()));
        assertThrows(RuntimeFault.class,
                () -> spec.profile(LinuxContainerSecurityContext.newBuilder().setApparmorProfile("mine").build()));
    }

    @Test
    void aKernelWithoutItRefusesANamedProfileAndRunsTheDefaultWithout() throws IOException {
        AppArmorSpec spec = withKernel("N\n", "");
        assertEquals(Optional.empty(), spec.profile(asking(ProfileType.RuntimeDefault, "")));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> spec.profile(asking(ProfileType.Localhost, "mine")));
        assertTrue(fault.getMessage().contains("without AppArmor"), fault.getMessage());
    }

    @Test
    void withoutAParserOnlyWhoAsksForTheDefaultIsRefused() throws IOException {
        AppArmorSpec spec = withKernel("Y\n", "");
        assertEquals(Optional.empty(), spec.profile(LinuxContainerSecurityContext.getDefaultInstance()));
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> spec.profile(asking(ProfileType.RuntimeDefault, "")));
        assertEquals(RuntimeFault.Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("install the package apparmor"), fault.getMessage());
    }
}
