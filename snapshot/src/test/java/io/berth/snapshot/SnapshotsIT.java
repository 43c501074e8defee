package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.Mounts;
import io.berth.linux.RootedPath;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root: owners, device nodes, trusted attributes, mounts. */
class SnapshotsIT {

    @TempDir
    Path root;

    private Snapshots snapshots;

    @BeforeEach
    void open() {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for overlay mounts and device nodes");
        snapshots = open("boot-1");
    }

    private Snapshots open(String bootId) {
        return new Snapshots(root, new UnpackLimits(1000, 64 << 20, 4095, 100, 1 << 16, 600, 8 << 20, java.time.Duration.ofMinutes(5)), bootId);
    }

    @AfterEach
    void unmountAll() throws Exception {
        if (snapshots != null) {
            snapshots.activeKeys().forEach(snapshots::remove);
            snapshots.awaitSync();
            Path tmp = root.resolve("snapshots/tmp");
            for (int i = 0; i < 500; i++) {
                try (var left = Files.list(tmp)) {
                    if (left.findAny().isEmpty()) {
                        return;
                    }
                }
                Thread.sleep(10);
            }
            throw new AssertionError("the scratch directory does not become empty");
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private Digest add(Optional<Digest> parent, byte[] tar) {
        Digest diffId = Digest.ofBytes(tar);
        Digest chain = parent.map(p -> Digest.ofBytes((p + " " + diffId).getBytes(StandardCharsets.UTF_8))).orElse(diffId);
        snapshots.unpack(parent, chain, diffId, "application/vnd.oci.image.layer.v1.tar", new ByteArrayInputStream(tar));
        return chain;
    }

    private Path files(Digest chain) {
        return root.resolve("snapshots/layers").resolve(chain.hex()).resolve("fs");
    }

    private Kind refused(byte[] tar) {
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> add(Optional.empty(), tar));
        assertTrue(snapshots.chains().isEmpty());
        assertFalse(Files.exists(root.resolve("evil")), "a file was made outside of the layer");
        return fault.kind();
    }

    @Test
    void entriesKeepOwnerModeTimeAndAttributes() throws Exception {
        Map<String, String> pax = new LinkedHashMap<>();
        pax.put("SCHILY.xattr.user.note", "hi");
        pax.put("SCHILY.xattr.trusted.overlay.redirect", "/etc");
        pax.put("SCHILY.xattr.security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        Digest chain = add(Optional.empty(), new TarBytes()
                .entry('5', "./", "", 0711, 3, 4, new byte[0]).directory("d/", 01777)
                .pax(pax).entry('0', "d/su", "", 04755, 10, 20, "x".getBytes()).symlink("d/ln", "/nowhere")
                .entry('6', "d/fifo", "", 0640, 1, 1, new byte[0]).device('3', "d/null", 1, 3).hardLink("d/same", "d/su").bytes());
        Path fs = files(chain);
        Map<String, Object> file = Files.readAttributes(fs.resolve("d/su"), "unix:*");
        assertEquals(0104755, file.get("mode"));
        assertEquals(10, file.get("uid"));
        assertEquals(20, file.get("gid"));
        assertEquals(2, file.get("nlink"));
        assertEquals(1_000_000_000_000L, Files.getLastModifiedTime(fs.resolve("d")).toMillis());
        assertEquals(041777, Files.getAttribute(fs.resolve("d"), "unix:mode"));
        assertEquals(040711, Files.getAttribute(fs, "unix:mode"));
        assertEquals("/nowhere", Files.readSymbolicLink(fs.resolve("d/ln")).toString());
        try (Fd d = Fd.openDirectory(fs.resolve("d"))) {
            assertArrayEquals("hi".getBytes(), Inodes.attribute(d, Inodes.name("su"), "user.note").orElseThrow());
            assertEquals(20, Inodes.attribute(d, Inodes.name("su"), "security.capability").orElseThrow().length);
            assertTrue(Inodes.attribute(d, Inodes.name("su"), "trusted.overlay.redirect").isEmpty());
            assertEquals(Inodes.FIFO | 0640, Inodes.status(d, Inodes.name("fifo")).orElseThrow().mode());
            Inodes.Status device = Inodes.status(d, Inodes.name("null")).orElseThrow();
            assertEquals(1, device.deviceMajor());
            assertEquals(3, device.deviceMinor());
        }
    }

    private void assertLooks(int mode, int gid, Path path) throws IOException {
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,gid,uid", java.nio.file.LinkOption.NOFOLLOW_LINKS);
        assertEquals("%o %d 0".formatted(mode, gid), "%o %s %s".formatted((int) found.get("mode"), found.get("gid"),
                found.get("uid")), path.toString());
    }

    @Test
    void whatADirectoryPassesOnDoesNotReachItsEntries() throws Exception {
        // user::rwx, group::---, other::--- for what is made in it: version 2, then tag, rights and no id of each.
        String list = "\2\0\0\0\1\0\7\0\377\377\377\377\4\0\0\0\377\377\377\377\40\0\0\0\377\377\377\377";
        Digest chain = add(Optional.empty(), new TarBytes()
                .directory("plain/", 0755).entry('0', "plain/all", "", 0666, 0, 0, "x".getBytes())
                .entry('0', "plain/su", "", 06755, 0, 0, "x".getBytes()).entry('0', "plain/own", "", 0600, 0, 7, new byte[0])
                .entry('0', "plain/all", "", 0640, 0, 0, "again".getBytes())
                .entry('5', "group/", "", 02775, 0, 50, new byte[0]).file("group/file", "x").directory("group/sub/", 0755)
                .file("group/sub/file", "x").symlink("group/link", "file").entry('6', "group/fifo", "", 0666, 0, 0, new byte[0])
                .file("late/before", "x").entry('5', "late/", "", 02755, 0, 50, new byte[0]).file("late/after", "x")
                .file("group/implied/file", "x")
                .pax(Map.of("SCHILY.xattr.system.posix_acl_default", list)).directory("list/", 0755)
                .file("list/file", "x").directory("list/sub/", 0755).bytes());
        Path fs = files(chain);
        assertLooks(0100640, 0, fs.resolve("plain/all"));
        assertEquals("again", Files.readString(fs.resolve("plain/all")));
        assertLooks(0106755, 0, fs.resolve("plain/su"));
        assertLooks(0100600, 7, fs.resolve("plain/own"));
        assertLooks(042775, 50, fs.resolve("group"));
        assertLooks(0100644, 0, fs.resolve("group/file"));
        assertLooks(040755, 0, fs.resolve("group/sub"));
        assertLooks(0100644, 0, fs.resolve("group/sub/file"));
        assertLooks(0120777, 0, fs.resolve("group/link"));
        assertLooks(010666, 0, fs.resolve("group/fifo"));
        assertLooks(0100644, 0, fs.resolve("group/implied/file"));
        assertLooks(042755, 50, fs.resolve("late"));
        assertLooks(0100644, 0, fs.resolve("late/before"));
        assertLooks(0100644, 0, fs.resolve("late/after"));
        assertLooks(0100644, 0, fs.resolve("list/file"));
        assertLooks(040755, 0, fs.resolve("list/sub"));
    }

    @Test
    void noPathLeadsOutOfTheLayer() throws Exception {
        String outside = root.toString();
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("../../../../evil", "x").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("a/../../evil", "x").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().symlink("l", "l").file("l/evil", "x").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("f", "").file("f/evil", "x").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().hardLink("h", "/etc/passwd").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().symlink("l", "/etc").hardLink("h", "l/hostname").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().hardLink("h", "../../../../etc/passwd").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("d/.wh..", "").bytes()));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("d/.wh...", "").bytes()));
        // An absolute link is taken within the layer, as the container will see it.
        Digest chain = add(Optional.empty(), new TarBytes().symlink("l", outside).file("l/evil", "x")
                .symlink("up", "../../../../..").file("up/inner", "y").bytes());
        assertFalse(Files.exists(root.resolve("evil")));
        assertEquals("x", Files.readString(files(chain).resolve(outside.substring(1)).resolve("evil")));
        assertEquals("y", Files.readString(files(chain).resolve("inner")));
    }

    @Test
    void aDirectoryThatBecomesALinkIsNotWrittenThrough() throws Exception {
        Digest chain = add(Optional.empty(), new TarBytes().directory("d/", 0755).file("d/a", "1")
                .symlink("d", root.toString()).file("d/evil", "2").file("d/b", "3").bytes());
        assertFalse(Files.exists(root.resolve("evil")));
        assertFalse(Files.exists(root.resolve("b")));
        assertTrue(Files.isSymbolicLink(files(chain).resolve("d")));
        Digest other = add(Optional.empty(), new TarBytes().symlink("l", "x").directory("x", 0755).file("l/one", "1")
                .directory("y", 0755).symlink("l", "y").file("l/two", "2").bytes());
        assertEquals("2", Files.readString(files(other).resolve("y/two")));
    }

    @Test
    void bombsAndWrongDigestsAreRefused() throws Exception {
        TarBytes many = new TarBytes();
        for (int i = 0; i < 1001; i++) {
            many.file("f" + i, "");
        }
        assertEquals(Kind.RESOURCE_EXHAUSTED, refused(many.bytes()));
        byte[] zeros = new TarBytes().entry('0', "z", "", 0644, 0, 0, new byte[32 << 20]).bytes();
        Digest diffId = Digest.ofBytes(zeros);
        assertEquals(Kind.RESOURCE_EXHAUSTED, assertThrows(RuntimeFault.class, () -> snapshots.unpack(Optional.empty(),
                diffId, diffId, "t", new ByteArrayInputStream(gzip(zeros)))).kind());
        byte[] tar = new TarBytes().file("a", "b").bytes();
        Digest wrong = Digest.ofBytes(new byte[1]);
        RuntimeFault fault = assertThrows(RuntimeFault.class, () ->
                snapshots.unpack(Optional.empty(), wrong, wrong, "t", new ByteArrayInputStream(gzip(tar))));
        assertEquals(Kind.DATA_LOSS, fault.kind());
        assertTrue(fault.getMessage().contains(wrong.toString()) && fault.getMessage().contains(Digest.ofBytes(tar).toString()));
        byte[] cut = java.util.Arrays.copyOf(gzip(tar), 40);
        assertEquals(Kind.DATA_LOSS, assertThrows(RuntimeFault.class, () -> snapshots.unpack(Optional.empty(),
                Digest.ofBytes(tar), Digest.ofBytes(tar), "t", new ByteArrayInputStream(cut))).kind());
    }

    @Test
    void theMountedStackShowsUpperLayersAndHidesWhatTheyDelete() throws Exception {
        Digest low = add(Optional.empty(), new TarBytes().entry('5', "etc/", "", 0750, 7, 7, new byte[0])
                .file("etc/a", "low").file("etc/b", "low").directory("var/", 0755).file("var/x", "low").directory("re/", 0755)
                .file("re/old", "low").bytes());
        Digest top = add(Optional.of(low), new TarBytes().file("etc/.wh.a", "").file("etc/b", "top")
                .directory("var/", 0755).file("var/.wh..wh..opq", "").file("var/y", "top").file(".wh.re", "")
                .directory("re/", 0755).file("re/new", "top").bytes());
        Path at = root.resolve("mnt");
        RootFilesystem fs = snapshots.prepare("c1", List.of(low, top), at, Optional.empty(), Optional.empty());
        assertEquals(fs, snapshots.prepare("c1", List.of(low, top), at, Optional.empty(), Optional.empty()));
        assertTrue(Files.readAllLines(Path.of("/proc/self/mountinfo")).stream().anyMatch(line -> line.contains(" " + at + " ")
                && line.contains("volatile")), "its unmount writes out a whole file system");
        assertFalse(Files.exists(at.resolve("etc/a")));
        assertEquals("top", Files.readString(at.resolve("etc/b")));
        assertFalse(Files.exists(at.resolve("var/x")));
        assertTrue(Files.exists(at.resolve("var/y")));
        assertFalse(Files.exists(at.resolve("re/old")));
        assertTrue(Files.exists(at.resolve("re/new")));
        // The upper layer names no etc/ of its own: it must look as below.
        assertEquals(040750, Files.getAttribute(at.resolve("etc"), "unix:mode"));
        assertEquals(7, Files.getAttribute(at.resolve("etc"), "unix:uid"));
        Usage before = snapshots.usage("c1");
        Files.writeString(at.resolve("new"), "z".repeat(10_000));
        assertEquals(before.inodes() + 1, snapshots.usage("c1").inodes());
        assertEquals(before.bytes() + 12288, snapshots.usage("c1").bytes());
        assertFalse(snapshots.removeLayer(top));
        assertFalse(snapshots.removeLayer(low));
        snapshots.remove("c1");
        snapshots.remove("c1");
        assertFalse(Mounts.isMountPoint(at));
        assertTrue(snapshots.removeLayer(top));
        assertTrue(snapshots.removeLayer(low));
        assertTrue(snapshots.removeLayer(low));
        assertEquals(1, snapshots.layerUsage().inodes());
    }

    @Test
    void oneLayerNoLayerAnd127LayersCanBeMounted() throws Exception {
        List<Digest> chain = new ArrayList<>();
        for (int i = 0; i < 127; i++) {
            chain.add(add(chain.isEmpty() ? Optional.empty() : Optional.of(chain.getLast()),
                    new TarBytes().file("f" + i, "" + i).bytes()));
        }
        snapshots.prepare("many", chain, root.resolve("many"), Optional.empty(), Optional.empty());
        assertEquals("0", Files.readString(root.resolve("many/f0")));
        assertEquals("126", Files.readString(root.resolve("many/f126")));
        snapshots.prepare("one", chain.subList(0, 1), root.resolve("one"), Optional.empty(), Optional.empty());
        assertEquals("0", Files.readString(root.resolve("one/f0")));
        snapshots.prepare("none", List.of(), root.resolve("none"), Optional.empty(), Optional.empty());
        Files.writeString(root.resolve("none/x"), "x");
        snapshots.mountReadOnly("view", chain.subList(0, 1), root.resolve("view"), Optional.empty(), Optional.empty());
        assertEquals("0", Files.readString(root.resolve("view/f0")));
        assertThrows(IOException.class, () -> Files.writeString(root.resolve("view/x"), "x"));
        snapshots.mountReadOnly("views", chain, root.resolve("views"), Optional.empty(), Optional.empty());
        assertEquals("126", Files.readString(root.resolve("views/f126")));
        assertEquals(Set.of("many", "one", "none", "view", "views"), snapshots.activeKeys());
        assertEquals(Usage.NONE, snapshots.usage("view"));
    }

    @Test
    void whatAContainerChangedIsALayerThatGivesTheSameTree() throws Exception {
        Digest low = add(Optional.empty(), new TarBytes().directory("etc/", 0755).file("etc/gone", "x").file("etc/kept", "k")
                .directory("re/", 0755).file("re/old", "old").bytes());
        Path at = root.resolve("mnt");
        snapshots.prepare("c1", List.of(low), at, Optional.empty(), Optional.empty());
        Files.delete(at.resolve("etc/gone"));
        Files.delete(at.resolve("re/old"));
        Files.delete(at.resolve("re"));
        Files.createDirectory(at.resolve("re"));
        Files.writeString(at.resolve("re/new"), "new");
        Files.createLink(at.resolve("re/same"), at.resolve("re/new"));
        Files.createSymbolicLink(at.resolve("link"), Path.of("/etc/passwd"));
        Files.writeString(at.resolve("n".repeat(200)), "long");
        Files.setAttribute(at.resolve("re/new"), "unix:uid", 12);
        Files.setAttribute(at.resolve("re/new"), "unix:mode", 04750);

        ByteArrayOutputStream changes = new ByteArrayOutputStream();
        snapshots.writeChanges("c1", changes);
        Digest top = add(Optional.of(low), changes.toByteArray());
        Path copy = root.resolve("copy");
        snapshots.prepare("c2", List.of(low, top), copy, Optional.empty(), Optional.empty());

        assertFalse(Files.exists(copy.resolve("etc/gone")));
        assertEquals("k", Files.readString(copy.resolve("etc/kept")));
        assertFalse(Files.exists(copy.resolve("re/old")));
        assertEquals("new", Files.readString(copy.resolve("re/same")));
        assertEquals(2, Files.getAttribute(copy.resolve("re/new"), "unix:nlink"));
        assertEquals(12, Files.getAttribute(copy.resolve("re/new"), "unix:uid"));
        assertEquals(0104750, Files.getAttribute(copy.resolve("re/new"), "unix:mode"));
        assertEquals("/etc/passwd", Files.readSymbolicLink(copy.resolve("link")).toString());
        assertEquals("long", Files.readString(copy.resolve("n".repeat(200))));
    }

    @Test
    void whatAContainerChangedIsWhereAnotherOneBegins() throws Exception {
        Digest low = add(Optional.empty(), new TarBytes().directory("etc/", 0751).file("etc/gone", "x").file("etc/too", "y")
                .file("etc/kept", "k").bytes());
        snapshots.prepare("c1", List.of(low), root.resolve("mnt"), Optional.empty(), Optional.empty());
        Files.delete(root.resolve("mnt/etc/gone"));
        Files.writeString(root.resolve("mnt/mine"), "mine");
        Files.setAttribute(root.resolve("mnt"), "unix:mode", 0711);
        Path layer = root.resolve("changes.tar");
        try (var out = Files.newOutputStream(layer)) {
            assertEquals(List.of("/etc/gone"), snapshots.writeChanges("c1", out));
        }
        Path copy = root.resolve("copy");
        snapshots.prepareChanged("c2", List.of(low), copy, Optional.empty(),
                new Changes(Optional.of(layer), List.of("/etc/gone", "/etc/too"), OptionalInt.empty()));
        assertFalse(Files.exists(copy.resolve("etc/gone")));
        assertFalse(Files.exists(copy.resolve("etc/too")));
        assertEquals("k", Files.readString(copy.resolve("etc/kept")));
        assertEquals("mine", Files.readString(copy.resolve("mine")));
        assertEquals(040711, Files.getAttribute(copy, "unix:mode"), "the root lost its mode");

        Path onlyDeleted = root.resolve("deleted");
        snapshots.prepareChanged("c3", List.of(low), onlyDeleted, Optional.empty(),
                new Changes(Optional.empty(), List.of("/etc/too"), OptionalInt.of(0555)));
        assertEquals(040555, Files.getAttribute(onlyDeleted, "unix:mode"), "the root has not the mode that was wanted");
        assertFalse(Files.exists(onlyDeleted.resolve("etc/too")));
        assertEquals(040751, Files.getAttribute(onlyDeleted.resolve("etc"), "unix:mode"), "the directory lost its mode");
    }

    @Test
    void changesThatLeadOutAreRefusedAndLeaveNothing() throws Exception {
        Digest low = add(Optional.empty(), new TarBytes().file("a", "a").bytes());
        Path outside = Files.createDirectory(root.resolve("outside"));
        Files.writeString(outside.resolve("precious"), "untouched");
        Path layer = Files.write(root.resolve("link.tar"), new TarBytes().symlink("out", outside.toString()).bytes());
        for (String path : List.of("/../outside/precious", "..", "/", "a/../../outside/precious")) {
            RuntimeFault refused = assertThrows(RuntimeFault.class, () -> snapshots.prepareChanged("c1", List.of(low),
                    root.resolve("mnt"), Optional.empty(),
                    new Changes(Optional.of(layer), List.of(path), OptionalInt.empty())));
            assertEquals(RuntimeFault.Kind.DATA_LOSS, refused.kind());
            assertEquals(Set.of(), snapshots.activeKeys());
        }
        // Through the link, which means a place in the root itself.
        snapshots.prepareChanged("c1", List.of(low), root.resolve("mnt"), Optional.empty(),
                new Changes(Optional.of(layer), List.of("/out/precious"), OptionalInt.empty()));
        assertEquals("untouched", Files.readString(outside.resolve("precious")));
    }

    @Test
    void aRestartFindsWhatWasThereAndDropsWhatPowerLossMayHaveTaken() throws Exception {
        Digest synced = add(Optional.empty(), new TarBytes().file("a", "1").bytes());
        snapshots.awaitSync();
        snapshots.prepare("c1", List.of(synced), root.resolve("mnt"), Optional.empty(), Optional.empty());
        Files.writeString(root.resolve("mnt/mine"), "kept");
        Files.createDirectories(root.resolve("snapshots/tmp/unpack-dead/fs"));
        Path record = files(synced).getParent().resolve("record");
        Snapshots again = open("boot-1");
        assertTrue(again.has(synced));
        assertEquals(Set.of("c1"), again.activeKeys());
        Mounts.unmount(root.resolve("mnt"));
        Snapshots rebooted = open("boot-2");
        assertTrue(rebooted.has(synced));
        rebooted.prepare("c1", List.of(synced), root.resolve("mnt"), Optional.empty(), Optional.empty());
        assertEquals("kept", Files.readString(root.resolve("mnt/mine")));
        rebooted.remove("c1");
        Files.writeString(record, Files.readString(record) + "unsynced boot-2\n");
        assertFalse(open("boot-3").has(synced));
        snapshots = rebooted;
    }

    @Test
    void aTreeOfAnyDepthIsRemovedAndLinksAreNotFollowed() throws Exception {
        Path top = Files.createDirectory(root.resolve("deep"));
        Path precious = Files.writeString(Files.createDirectory(root.resolve("precious")).resolve("f"), "x");
        Files.createSymbolicLink(top.resolve("link"), root.resolve("precious"));
        Fd at = Fd.openDirectory(top);
        for (int i = 0; i < 3000; i++) {
            Inodes.makeDirectory(at, Inodes.name("dddddddddddd"), 0755);
            Fd next = RootedPath.openDirectory(at, "dddddddddddd");
            at.close();
            at = next;
        }
        Inodes.makeSymlink(Inodes.name("/"), at, new byte[] {(byte) 0xff, 'x'});
        at.close();
        RemoveTree.at(top);
        assertFalse(Files.exists(top, LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.exists(precious));
        RemoveTree.at(top);
    }

    @Test
    void compressionIsToldByTheBytes() throws Exception {
        byte[] tar = new TarBytes().file("a", "b").bytes();
        Digest id = Digest.ofBytes(tar);
        for (byte[] blob : List.of(tar, gzip(tar), com.github.luben.zstd.Zstd.compress(tar))) {
            snapshots.unpack(Optional.empty(), id, id, "application/vnd.oci.image.layer.v1.tar", new ByteArrayInputStream(blob));
            assertEquals("b", Files.readString(files(id).resolve("a")));
            assertTrue(snapshots.removeLayer(id));
        }
    }
}
