package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacesIT {

    private static final EnumSet<Namespace> KINDS = EnumSet.of(Namespace.NET, Namespace.IPC, Namespace.UTS);

    @TempDir
    Path directory;

    @Test
    void aPinnedNamespaceCanBeEnteredAndEndsWhenUnpinned() throws Exception {
        var pinned = Namespaces.create(KINDS, directory.resolve("ns"), () -> Namespaces.setHostname("berth-test"));
        try {
            assertEquals(KINDS, pinned.keySet());
            pinned.values().forEach(file -> assertTrue(Namespaces.isPinned(file)));
            assertFalse(Namespaces.isPinned(Files.writeString(directory.resolve("left over"), "")));
            assertFalse(Namespaces.isPinned(directory.resolve("not there")));
            assertEquals("berth-test", Namespaces.in(pinned.get(Namespace.UTS),
                    () -> Files.readString(Path.of("/proc/sys/kernel/hostname")).strip()));
            assertNotEquals("berth-test", Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
            assertNotEquals(Namespaces.identity(Path.of("/proc/self/ns/net")),
                    Namespaces.identity(pinned.get(Namespace.NET)));
        } finally {
            pinned.values().forEach(Namespaces::unpin);
        }
        assertEquals(List.of(), Mounts.at(directory));
        pinned.values().forEach(file -> assertFalse(Files.exists(file)));
    }

    @Test
    void mountsAreFoundAtPathsThatTheTableWritesInAnotherWay() throws Exception {
        Path odd = Files.createDirectories(directory.resolve("a b\\c\u00fc"));
        Mounts.tmpfs(odd, 65536, 0700, 0, 0, 0);
        Mounts.tmpfs(Files.createDirectories(odd.resolve("in")), 65536, 0700, 0, 0, 0);
        try {
            assertEquals(List.of(odd.resolve("in"), odd), Mounts.at(odd));
            assertEquals(List.of(odd.resolve("in"), odd), Mounts.at(directory));
            assertTrue(Mounts.isMountPoint(odd));
            assertFalse(Mounts.isMountPoint(directory));
        } finally {
            Mounts.at(directory).forEach(Mounts::unmount);
        }
    }

    @Test
    void aFailureInsideLeavesNothingPinned() {
        assertThrows(RuntimeException.class, () -> Namespaces.create(KINDS, directory.resolve("ns"), () -> {
            throw new IllegalStateException("setup failed");
        }));
        assertEquals(List.of(), Mounts.at(directory));
    }

    @Test
    void anOverlayShowsItsLayersAndKeepsChangesInTheUpperOne() throws Exception {
        Path lower = Files.createDirectories(directory.resolve("lower,with:odd name"));
        Path upper = Files.createDirectories(directory.resolve("upper"));
        Path work = Files.createDirectories(directory.resolve("work"));
        Path target = Files.createDirectories(directory.resolve("target"));
        Files.writeString(lower.resolve("file"), "below");
        Mounts.overlay(List.of(lower), upper, work, target, List.of());
        try {
            assertTrue(Mounts.isMountPoint(target));
            assertEquals("below", Files.readString(target.resolve("file")));
            Files.writeString(target.resolve("file"), "above");
        } finally {
            assertTrue(Mounts.unmount(target));
        }
        assertFalse(Mounts.unmount(target));
        assertEquals("above", Files.readString(upper.resolve("file")));
        assertEquals("below", Files.readString(lower.resolve("file")));
    }

    @Test
    void moreLayersThanFitAPageOfOptionsAreMounted() throws Exception {
        String longName = "l".repeat(100);
        List<Path> layers = new java.util.ArrayList<>();
        for (int i = 0; i < 60; i++) {
            Path layer = Files.createDirectories(directory.resolve(longName + i));
            Files.writeString(layer.resolve("file" + i), "" + i);
            layers.add(layer);
        }
        Path upper = Files.createDirectories(directory.resolve("upper"));
        Path work = Files.createDirectories(directory.resolve("work"));
        Path target = Files.createDirectories(directory.resolve("target"));
        Mounts.overlay(layers, upper, work, target, List.of("volatile", "index=off"));
        try {
            // The kernel's own mark of that option.
            assertTrue(Files.exists(work.resolve("work/incompat/volatile")), "an option without a value is lost");
            assertEquals("0", Files.readString(target.resolve("file0")));
            assertEquals("59", Files.readString(target.resolve("file59")));
        } finally {
            Mounts.unmount(target);
        }
    }

    @Test
    void aCgroupIsRemovedWithItsChildren() throws Exception {
        Cgroups cgroups = Cgroups.detect();
        String group = "/berth-test-" + ProcessHandle.current().pid();
        Path memory = cgroups.directory("memory", group + "/child").orElseThrow();
        Files.createDirectories(memory);
        assertFalse(cgroups.directories(group).isEmpty());
        cgroups.remove(group);
        assertFalse(Files.exists(memory.getParent()));
        assertEquals(List.of(), cgroups.directories(group));
    }
}
