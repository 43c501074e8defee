package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.linux.MountOptions;
import io.berth.linux.Mounts;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SnapshotMountTest {

    @Test
    void anOverlayTellsItsDirectories() {
        SnapshotMount mount = new SnapshotMount("overlay", "overlay", "", List.of("index=off", "workdir=/s/3/work",
                "upperdir=/s/3/fs", "lowerdir=/s/2/fs:/s/a\\:b/fs:/s/1/fs"));
        assertEquals(Optional.of(Path.of("/s/3/fs")), mount.upper());
        assertEquals(Optional.of(Path.of("/s/3/work")), mount.work());
        assertEquals(List.of(Path.of("/s/2/fs"), Path.of("/s/a:b/fs"), Path.of("/s/1/fs")), mount.lowers());
        SnapshotMount bind = new SnapshotMount("bind", "/s/1/fs", "", List.of("ro", "rbind"));
        assertEquals(Optional.empty(), bind.upper());
        assertEquals(List.of(), bind.lowers());
    }

    @Test
    void flagsAndDataAreToldApart() {
        MountOptions options = MountOptions.parse(List.of("ro", "nodev", "rbind", "discard", "errors=remount-ro"));
        assertEquals(Mounts.MS_RDONLY | Mounts.MS_NODEV | MountOptions.BIND | MountOptions.RECURSIVE, options.flags());
        assertEquals(List.of("discard", "errors=remount-ro"), options.data());
        assertTrue(options.isReadOnly());
    }

    @Test
    void whatTheKernelAloneCannotMountAndWhatLeadsOutIsRefused() {
        Path place = Path.of("/nowhere/place");
        for (SnapshotMount bad : List.of(new SnapshotMount("fuse.nydus-overlayfs", "overlay", "", List.of()),
                new SnapshotMount("format/mkfs", "x", "", List.of()), new SnapshotMount("ext4", "/image", "", List.of("loop")),
                new SnapshotMount("ext4", "/dev/x", "../../etc", List.of()))) {
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> new MountSnapshot(List.of(bad), Optional.empty()).at(place));
            assertEquals(RuntimeFault.Kind.UNSUPPORTED, fault.kind(), fault.getMessage());
        }
        assertEquals(RuntimeFault.Kind.UNSUPPORTED, assertThrows(RuntimeFault.class, () -> new MountSnapshot(List.of(new SnapshotMount(
                "bind", "/s", "", List.of("bind"))), Optional.of("u:r:t:s0")).at(place)).kind());
    }
}
