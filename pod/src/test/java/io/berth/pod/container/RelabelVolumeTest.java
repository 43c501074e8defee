package io.berth.pod.container;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import io.berth.pod.Directories;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RelabelVolumeTest {

    private static final RelabelVolume RELABEL = new RelabelVolume(new Directories(Path.of("/data/berth"), Path.of("/run/berth")));

    @ParameterizedTest
    @ValueSource(strings = {"/", "/var", "/home", "/etc", "/etc/ssl", "/usr/lib/x", "/proc/1", "/var/lib", "/var/lib/kubelet", "/run",
        "/data", "/data/berth", "/data/berth/snapshots/layers/x", "/run/berth/containers"})
    void whatIsTheNodesIsRefused(String path) {
        assertEquals(RuntimeFault.Kind.INVALID_ARGUMENT,
                assertThrows(RuntimeFault.class, () -> RELABEL.requireVolume(Path.of(path))).kind());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/v", "/srv/data", "/data/berths", "/run/other",
        "/etcetera/x"})
    void aVolumeIsNot(String path) {
        assertDoesNotThrow(() -> RELABEL.requireVolume(Path.of(path)));
    }
}
