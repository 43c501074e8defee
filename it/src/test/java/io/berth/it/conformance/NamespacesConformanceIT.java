package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whose network, processes and shared memory a container sees: POD, CONTAINER, NODE and TARGET. */
@Timeout(120)
class NamespacesConformanceIT {

    @RegisterExtension
    static final Cri CRI = new Cri();

    private static String own(String kind) throws IOException {
        return Files.readSymbolicLink(Path.of("/proc/self/ns", kind)).toString();
    }

    private static String of(String container, String kind) {
        return CRI.out(container, "readlink", "/proc/self/ns/" + kind).strip();
    }

    private static NamespaceOption pid(NamespaceMode mode) {
        return NamespaceOption.newBuilder().setPid(mode).build();
    }

    @Test
    void aContainersOwnPidsBeginAtOne() throws IOException {
        var pod = CRI.podWith(pid(NamespaceMode.CONTAINER));
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        assertTrue(CRI.out(first, "cat", "/proc/1/cmdline").startsWith("sleep"));
        assertNotEquals(of(first, "pid"), of(second, "pid"));
        assertNotEquals(own("pid"), of(first, "pid"));
    }

    @Test
    void aPodsPidsAreSharedByItsContainers() throws IOException {
        var pod = CRI.podWith(pid(NamespaceMode.POD));
        String first = CRI.run(pod, config -> { }, "sleep", "4321");
        String second = CRI.sleeper(pod);
        assertTrue(CRI.out(second, "ps").contains("sleep 4321"));
        assertFalse(CRI.out(second, "cat", "/proc/1/cmdline").startsWith("sleep"), "the first process is the pod's");
        assertEquals(of(first, "pid"), of(second, "pid"));
        assertNotEquals(own("pid"), of(first, "pid"));
    }

    @Test
    void theNodesPidsAreSeenWhenAskedFor() throws IOException {
        var pod = CRI.podWith(pid(NamespaceMode.NODE));
        String container = CRI.sleeper(pod);
        assertEquals(own("pid"), of(container, "pid"));
        assertTrue(CRI.out(container, "cat", "/proc/" + ProcessHandle.current().pid() + "/comm").startsWith("java"));
    }

    @Test
    void aTargetsPidsAreSharedForDebugging() {
        var pod = CRI.podWith(pid(NamespaceMode.CONTAINER));
        String target = CRI.run(pod, config -> { }, "sleep", "4322");
        String debugger = CRI.sleeper(pod, config -> config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(
                NamespaceOption.newBuilder().setPid(NamespaceMode.TARGET).setTargetId(target)));
        assertEquals(of(target, "pid"), of(debugger, "pid"));
        assertTrue(CRI.out(debugger, "ps").contains("sleep 4322"));
    }

    @Test
    void aTargetThatIsNotThereOrInAnotherPodIsRefused() {
        var pod = CRI.pod();
        var other = CRI.pod();
        String foreign = CRI.sleeper(other);
        for (String id : new String[] {"no-such-container", foreign, ""}) {
            Cri.refused(() -> CRI.create(pod, config -> config.getLinuxBuilder().getSecurityContextBuilder()
                    .setNamespaceOptions(NamespaceOption.newBuilder().setPid(NamespaceMode.TARGET).setTargetId(id)), "true"));
        }
    }

    @Test
    void theEndOfOneContainerLeavesTheOthersOfASharedPidNamespaceAlone() {
        var pod = CRI.podWith(pid(NamespaceMode.POD));
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        CRI.runtime().stopContainer(io.berth.cri.v1.StopContainerRequest.newBuilder().setContainerId(first).build());
        assertEquals("still here\n", CRI.out(second, "echo", "still here"));
    }

    @Test
    void aPodsIpcIsSharedByItsContainersAndIsNotTheNodes() throws IOException {
        var pod = CRI.pod();
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        assertEquals(of(first, "ipc"), of(second, "ipc"));
        assertNotEquals(own("ipc"), of(first, "ipc"));
        CRI.out(first, "sh", "-c", "echo shared > /dev/shm/note");
        assertEquals("shared\n", CRI.out(second, "cat", "/dev/shm/note"));
        assertFalse(Files.exists(Path.of("/dev/shm/note")));
    }

    @Test
    void theNodesIpcIsUsedWhenAskedFor() throws IOException {
        var modes = NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE).setPid(NamespaceMode.CONTAINER).build();
        String container = CRI.sleeper(CRI.podWith(modes));
        assertEquals(own("ipc"), of(container, "ipc"));
        Path note = Path.of("/dev/shm/berth-conformance-" + ProcessHandle.current().pid());
        Files.writeString(note, "of the node\n");
        try {
            assertEquals("of the node\n", CRI.out(container, "cat", note.toString()));
        } finally {
            Files.delete(note);
        }
    }

    @Test
    void twoPodsShareNothing() {
        String first = CRI.sleeper(CRI.pod());
        String second = CRI.sleeper(CRI.pod());
        for (String kind : new String[] {"net", "ipc", "uts", "pid", "mnt"}) {
            assertNotEquals(of(first, kind), of(second, kind), kind);
        }
    }

    @Test
    void aPodsNetworkIsSharedByItsContainersAndIsNotTheNodes() throws IOException {
        var pod = CRI.pod();
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        assertEquals(of(first, "net"), of(second, "net"));
        assertNotEquals(own("net"), of(first, "net"));
        assertFalse(PodSandboxConformanceIT.status(CRI, pod.id()).getNetwork().getIp().isEmpty());
    }

    @Test
    void theNodesNetworkIsUsedWhenAskedFor() throws IOException {
        var modes = NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE).setPid(NamespaceMode.CONTAINER).build();
        var pod = CRI.podWith(modes);
        String container = CRI.sleeper(pod);
        assertEquals(own("net"), of(container, "net"));
        assertEquals(own("uts"), of(container, "uts"));
        assertEquals("", PodSandboxConformanceIT.status(CRI, pod.id()).getNetwork().getIp());
    }

    @Test
    void theStatusTellsTheModes() {
        var modes = NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE).setPid(NamespaceMode.CONTAINER)
                .setIpc(NamespaceMode.NODE).build();
        var told = PodSandboxConformanceIT.status(CRI, CRI.podWith(modes).id()).getLinux().getNamespaces().getOptions();
        assertEquals(NamespaceMode.NODE, told.getNetwork());
        assertEquals(NamespaceMode.CONTAINER, told.getPid());
        assertEquals(NamespaceMode.NODE, told.getIpc());
    }
}
