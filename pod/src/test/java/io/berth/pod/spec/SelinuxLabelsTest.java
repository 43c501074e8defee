package io.berth.pod.spec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.cri.v1.LinuxContainerSecurityContext;
import io.berth.cri.v1.PodSandboxConfig;
import io.berth.cri.v1.SELinuxOption;
import io.berth.linux.Selinux;
import io.berth.pod.record.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a node with a policy in the form that policies have; what the kernel makes of a label it cannot tell. */
class SelinuxLabelsTest {

    private static final LinuxContainerSecurityContext USUAL = LinuxContainerSecurityContext.getDefaultInstance();

    @TempDir
    private Path filesystem;

    @TempDir
    private Path configuration;

    private SelinuxLabels labels;

    @BeforeEach
    void anEnforcingNode() throws IOException {
        Files.writeString(filesystem.resolve("enforce"), "1");
        Files.writeString(configuration.resolve("config"), "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n");
        Files.createDirectories(configuration.resolve("targeted/contexts"));
        Files.writeString(contexts(), """
                process = "system_u:system_r:container_t:s0"
                content = "system_u:object_r:virt_var_lib_t:s0"
                file = "system_u:object_r:container_file_t:s0"
                ro_file="system_u:object_r:container_ro_file_t:s0"
                """);
        labels = new SelinuxLabels(new Selinux(filesystem, configuration), true);
    }

    private Path contexts() {
        return configuration.resolve("targeted/contexts/lxc_contexts");
    }

    private static Sandbox pod(String id, SELinuxOption options) {
        PodSandboxConfig.Builder config = PodSandboxConfig.newBuilder();
        config.getLinuxBuilder().getSecurityContextBuilder().setSelinuxOptions(options);
        return new Sandbox(id, config.build(), "runc", 0, Sandbox.Phase.READY, Set.of(), List.of(), false, "/c", Optional.empty());
    }

    private static Sandbox pod(String id) {
        return pod(id, SELinuxOption.getDefaultInstance());
    }

    private static LinuxContainerSecurityContext asking(SELinuxOption.Builder options) {
        return LinuxContainerSecurityContext.newBuilder().setSelinuxOptions(options).build();
    }

    @Test
    void containersOfOnePodShareTheirCategoriesAndNoOtherPodHasThem() {
        Set<String> seen = new HashSet<>();
        List<Sandbox> pods = new java.util.ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            Sandbox pod = pod(labels.newSandboxId(pods));
            pods.add(pod);
            var first = labels.of(pod, USUAL).orElseThrow();
            assertEquals(first, labels.of(pod, USUAL).orElseThrow());
            assertEquals(labels.of(pod).orElseThrow(), first);
            assertTrue(first.process().matches("system_u:system_r:container_t:s0:c\\d{1,4},c\\d{1,4}"), first.process());
            assertEquals(first.process().replace("system_r:container_t", "object_r:container_file_t"), first.file());
            assertTrue(seen.add(first.process()), first.process());
        }
    }

    @Test
    void whatIsAskedForTakesThePlaceOfThePolicys() {
        Sandbox pod = pod("00000401", SELinuxOption.newBuilder().setLevel("s0:c7,c9").build());
        assertEquals("system_u:system_r:spc_t:s0:c7,c9", labels.of(pod, asking(SELinuxOption.newBuilder().setType("spc_t")))
                .orElseThrow().process());
        var own = labels.of(pod, asking(SELinuxOption.newBuilder().setUser("u").setRole("r").setType("t").setLevel("s0"))).orElseThrow();
        assertEquals("u:r:t:s0", own.process());
        assertEquals("u:object_r:container_file_t:s0", own.file());
    }

    @Test
    void aPrivilegedContainerHasALabelOnlyWhenItAsks() {
        var privileged = LinuxContainerSecurityContext.newBuilder().setPrivileged(true);
        assertEquals(Optional.empty(), labels.of(pod("00000401"), privileged.build()));
        privileged.setSelinuxOptions(SELinuxOption.newBuilder().setType("spc_t"));
        assertEquals("system_u:system_r:spc_t:s0:c1,c2", labels.of(pod("00000401"), privileged.build()).orElseThrow().process());
    }

    @ParameterizedTest
    @ValueSource(strings = {"s0,noexec", "s0\"", "s0 c1", "s0\n", "nonsense"})
    void aLevelCannotBecomeAnotherMountOption(String level) {
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> labels.of(pod("00000401"), asking(SELinuxOption.newBuilder().setLevel(level))));
        assertEquals(Kind.INVALID_ARGUMENT, fault.kind());
        assertTrue(fault.getMessage().chars().allMatch(c -> c >= 0x20), fault.getMessage());
    }

    @Test
    void withoutAPolicyForContainersOnlyTheContainersThatAskAreRefused() throws IOException {
        Files.delete(contexts());
        assertEquals(Optional.empty(), labels.of(pod("00000401"), USUAL));
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> labels.of(pod("00000401"), asking(SELinuxOption.newBuilder().setType("spc_t"))));
        assertEquals(Kind.FAILED_PRECONDITION, fault.kind());
        assertTrue(fault.getMessage().contains("spc_t"), fault.getMessage());
    }

    @Test
    void aPolicyWithoutLevelsGetsNone() throws IOException {
        Files.writeString(contexts(), "process = \"u:r:t\"\nfile = \"u:object_r:f\"\n");
        assertEquals(new SelinuxLabels.Labels("u:r:t", "u:object_r:f"), labels.of(pod("00000401"), USUAL).orElseThrow());
    }

    @Test
    void withoutSelinuxOrWhereItIsNotWantedALabelMeansNothing() throws IOException {
        var asking = asking(SELinuxOption.newBuilder().setType("spc_t"));
        assertEquals(Optional.empty(), new SelinuxLabels(new Selinux(filesystem, configuration), false).of(pod("00000401"), asking));
        Files.delete(filesystem.resolve("enforce"));
        assertEquals(Optional.empty(), labels.of(pod("00000401"), asking));
        assertNotEquals("", labels.newSandboxId(List.of()));
    }
}
