package io.berth.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.cri.v1.IDMapping;
import io.berth.cri.v1.Mount;
import io.berth.cri.v1.NamespaceMode;
import io.berth.cri.v1.NamespaceOption;
import io.berth.cri.v1.StatusRequest;
import io.berth.cri.v1.UserNamespace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods whose root is nobody on the node. */
@Timeout(120)
class UserNamespacesConformanceIT {

    private static final int HOST_ID = 300_000;
    private static final IDMapping MAPPING = IDMapping.newBuilder().setHostId(HOST_ID).setLength(65_536).build();

    @RegisterExtension
    static final Cri CRI = new Cri();

    @BeforeEach
    void theRuntimeSaysThatItCan() {
        assumeTrue(CRI.runtime().status(StatusRequest.getDefaultInstance()).getRuntimeHandlersList().stream()
                .anyMatch(handler -> handler.getFeatures().getUserNamespaces()), "the runtime says that it has no user namespaces");
    }

    private static NamespaceOption.Builder modes(NamespaceMode mode, List<IDMapping> uids, List<IDMapping> gids) {
        return NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).setUsernsOptions(
                UserNamespace.newBuilder().setMode(mode).addAllUids(uids).addAllGids(gids));
    }

    private static NamespaceOption.Builder own() {
        return modes(NamespaceMode.POD, List.of(MAPPING), List.of(MAPPING));
    }

    private static void refused(NamespaceOption.Builder modes) {
        Cri.refused(() -> CRI.podWith(modes.build()));
    }

    @Test
    void rootIsMappedToTheGivenIds() throws Exception {
        var pod = CRI.podWith(own().build());
        String container = CRI.sleeper(pod);
        assertEquals("0 " + HOST_ID + " 65536", CRI.out(container, "cat", "/proc/self/uid_map").strip().replaceAll("\\s+", " "));
        assertEquals("0 " + HOST_ID + " 65536", CRI.out(container, "cat", "/proc/self/gid_map").strip().replaceAll("\\s+", " "));
        assertEquals("0\n", CRI.out(container, "id", "-u"));
        assertEquals("0:0\n", CRI.out(container, "stat", "-c", "%u:%g", "/bin/busybox"));
        assertEquals(0, CRI.exec(container, "touch", "/new").getExitCode());
    }

    @Test
    void aFileOnAnIdMappedVolumeBelongsToTheNodesRoot() throws Exception {
        var pod = CRI.podWith(own().build());
        Path volume = CRI.directory();
        String container = CRI.sleeper(pod, config -> config.addMounts(Mount.newBuilder().setHostPath(volume.toString())
                .setContainerPath("/mapped").addUidMappings(MAPPING).addGidMappings(MAPPING)));
        CRI.out(container, "touch", "/mapped/new");
        assertEquals(0, Files.getAttribute(volume.resolve("new"), "unix:uid"));
        assertEquals("0\n", CRI.out(container, "stat", "-c", "%u", "/mapped/new"));
    }

    @Test
    void aVolumeWithoutMappingsKeepsItsOwners() throws Exception {
        var pod = CRI.podWith(own().build());
        Path volume = CRI.directory();
        String container = CRI.sleeper(pod, config -> config.addMounts(Mount.newBuilder().setHostPath(volume.toString())
                .setContainerPath("/plain")));
        assertEquals("65534\n", CRI.out(container, "stat", "-c", "%u", "/plain"));
    }

    @Test
    void severalContainersShareTheNamespace() {
        var pod = CRI.podWith(own().build());
        String first = CRI.sleeper(pod);
        String second = CRI.sleeper(pod);
        assertEquals(CRI.out(first, "readlink", "/proc/self/ns/user"), CRI.out(second, "readlink", "/proc/self/ns/user"));
    }

    @Test
    void aSharedPidNamespaceGoesWithIt() {
        var pod = CRI.podWith(own().setPid(NamespaceMode.POD).build());
        CRI.run(pod, config -> { }, "sleep", "4567");
        assertTrue(CRI.out(CRI.sleeper(pod), "ps").contains("sleep 4567"));
    }

    @Test
    void theNodesNetworkGoesWithIt() {
        assumeTrue(CRI.runtime().status(StatusRequest.getDefaultInstance()).getFeatures().getUserNamespacesHostNetwork(),
                "the runtime says that it cannot");
        var pod = CRI.podWith(own().setNetwork(NamespaceMode.NODE).build());
        assertEquals("0\n", CRI.out(CRI.sleeper(pod), "id", "-u"));
    }

    @Test
    void theStatusTellsTheMapping() {
        var told = PodSandboxConformanceIT.status(CRI, CRI.podWith(own().build()).id()).getLinux().getNamespaces().getOptions();
        assertEquals(NamespaceMode.POD, told.getUsernsOptions().getMode());
        assertEquals(List.of(MAPPING), told.getUsernsOptions().getUidsList());
    }

    @Test
    void withModeNodeThereIsNone() throws Exception {
        var pod = CRI.podWith(modes(NamespaceMode.NODE, List.of(), List.of()).build());
        assertEquals(Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString(),
                CRI.out(CRI.sleeper(pod), "readlink", "/proc/self/ns/user").strip());
    }

    @Test
    void whatTheInterfaceForbidsIsRefused() {
        refused(modes(NamespaceMode.POD, List.of(), List.of()));
        refused(modes(NamespaceMode.POD, List.of(MAPPING, MAPPING), List.of(MAPPING)));
        refused(modes(NamespaceMode.POD, List.of(MAPPING), List.of(MAPPING, MAPPING)));
        IDMapping notFromZero = MAPPING.toBuilder().setContainerId(1).build();
        refused(modes(NamespaceMode.POD, List.of(notFromZero), List.of(notFromZero)));
        refused(modes(NamespaceMode.CONTAINER, List.of(MAPPING), List.of(MAPPING)));
        refused(modes(NamespaceMode.TARGET, List.of(MAPPING), List.of(MAPPING)));
        refused(modes(NamespaceMode.NODE, List.of(MAPPING), List.of(MAPPING)));
        refused(own().setPid(NamespaceMode.NODE));
        refused(own().setIpc(NamespaceMode.NODE));
    }

    @Test
    void aMappingThatIsNoneIsRefused() {
        for (IDMapping bad : List.of(MAPPING.toBuilder().setLength(0).build(), MAPPING.toBuilder().setHostId(-1).build(),
                MAPPING.toBuilder().setLength(-1).build())) {
            refused(modes(NamespaceMode.POD, List.of(bad), List.of(bad)));
        }
    }
}
