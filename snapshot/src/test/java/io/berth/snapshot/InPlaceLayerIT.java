package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import io.berth.linux.PlatformThreads;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A layer that is unpacked into a tree that has the files of the layers below. Needs root: owners, device nodes. */
class InPlaceLayerIT {

    private static final UnpackLimits LIMITS = new UnpackLimits(1000, 64 << 20, 4095, 30, 1 << 16, 600, 8 << 20,
            Duration.ofMinutes(5));

    @TempDir
    Path root;

    private Path tree;
    private Path outside;

    @BeforeEach
    void makeTree() throws IOException {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for owners and device nodes");
        tree = Files.createDirectory(root.resolve("tree"));
        outside = Files.createDirectory(root.resolve("outside"));
        Files.writeString(outside.resolve("precious"), "untouched");
    }

    @AfterEach
    void nothingOutsideHasChangedAndNoMarkOfOverlayfsIsMade() throws IOException {
        if (tree == null) {
            return;
        }
        try (var files = Files.list(outside)) {
            assertEquals(List.of(outside.resolve("precious")), files.toList());
        }
        assertEquals("untouched", Files.readString(outside.resolve("precious")));
        assertEquals(1, Files.getAttribute(outside.resolve("precious"), "unix:nlink"));
        assertEquals(List.of(outside, tree), List.copyOf(new TreeSet<>(List.of(listed(root)))));
        try (var all = Files.walk(tree)) {
            for (Path path : all.filter(found -> !found.equals(tree)).toList()) {
                try (Fd directory = Fd.openDirectory(path.getParent())) {
                    byte[] name = Inodes.name(path.getFileName().toString());
                    assertFalse(Inodes.status(directory, name).orElseThrow().isWhiteout(), path.toString());
                    assertTrue(Inodes.attribute(directory, name, "trusted.overlay.opaque").isEmpty(), path.toString());
                }
            }
        }
    }

    private static Path[] listed(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.toArray(Path[]::new);
        }
    }

    private Usage unpack(TarBytes layer) {
        byte[] tar = layer.bytes();
        return UnpackLayer.inPlace(tree, LIMITS, new ByteArrayInputStream(tar), Digest.ofBytes(tar));
    }

    private Kind refused(TarBytes layer) {
        return assertThrows(RuntimeFault.class, () -> unpack(layer)).kind();
    }

    /** All paths of the tree, directories with a slash. */
    private String paths() throws IOException {
        TreeSet<String> found = new TreeSet<>();
        try (var all = Files.walk(tree)) {
            all.filter(path -> !path.equals(tree)).forEach(path -> found.add(tree.relativize(path)
                    + (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS) ? "/" : "")));
        }
        return String.join(" ", found);
    }

    private static String look(Path path) throws IOException {
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
        return "%o %s %s".formatted((int) found.get("mode"), found.get("uid"), found.get("gid"));
    }

    @Test
    void aWhiteoutRemovesAFileALinkAndATree() throws Exception {
        unpack(new TarBytes().file("f", "").file("kept", "").symlink("l", outside.toString()).file("d/e/f", "")
                .symlink("d/l", outside.toString()).symlink("d/e/m", "../../kept").device('3', "d/null", 1, 3)
                .file("g/f", ""));
        unpack(new TarBytes().file(".wh.f", "").file(".wh.l", "").file(".wh.d", "").file("g/.wh.f", "")
                .file(".wh.never", ""));
        assertEquals("g/ kept", paths());
    }

    @Test
    void namesThatAreNoTextAreRemovedToo() throws Exception {
        unpack(new TarBytes().file("d/\u00e4\u00ff", "").file("d/ \n", "").file("\u00e4", "").file("e/\u00fc", ""));
        unpack(new TarBytes().file(".wh.d", "").file(".wh.\u00e4", "").file("e/.wh..wh..opq", ""));
        assertEquals("e/", paths());
    }

    @Test
    void aWhiteoutSpeaksOfTheLayersBelowOnlyInWhateverOrder() throws Exception {
        TarBytes low = new TarBytes().file("f", "low").file("d/old", "").file("d/both", "low").file("d/sub/old", "")
                .file("d/gone/old", "").file("d/kept/old", "").file("e/old", "").file("x", "low");
        TarBytes marksLast = new TarBytes().file("f", "top").file("d/both", "top").file("d/sub/new", "")
                .file("d/fresh/new", "")
                .directory("d/kept", 0700).file("e", "top").hardLink("h", "x").file(".wh.h", "").file(".wh.x", "")
                .file(".wh.f", "").file(".wh.d", "").file(".wh.e", "");
        unpack(low);
        unpack(marksLast);
        assertEquals("d/ d/both d/fresh/ d/fresh/new d/kept/ d/sub/ d/sub/new e f h", paths());
        assertEquals("top", Files.readString(tree.resolve("f")));
        assertEquals("top", Files.readString(tree.resolve("d/both")));
        assertEquals("low", Files.readString(tree.resolve("h")));
        RemoveTree.at(tree);
        Files.createDirectory(tree);
        unpack(low);
        unpack(new TarBytes().file(".wh.f", "").file(".wh.d", "").file(".wh.e", "").file("f", "top")
                .file("d/both", "top")
                .file("d/sub/new", "").file("d/fresh/new", "").directory("d/kept", 0700).file("e", "top"));
        assertEquals("d/ d/both d/fresh/ d/fresh/new d/kept/ d/sub/ d/sub/new e f x", paths());
    }

    @Test
    void anOpaqueMarkRemovesAllThatTheLayerHasNotMadeInWhateverOrder() throws Exception {
        TarBytes low = new TarBytes().entry('5', "d/", "", 0750, 7, 8, new byte[0]).file("d/old", "")
                .file("d/both", "low")
                .file("d/sub/old", "").file("d/sub/deep/old", "").file("beside", "");
        for (TarBytes top : List.of(
                new TarBytes().file("d/.wh..wh..opq", "").file("d/both", "top").file("d/sub/new", ""),
                new TarBytes().file("d/both", "top").file("d/.wh..wh..opq", "").file("d/sub/new", ""),
                new TarBytes().file("d/both", "top").file("d/sub/new", "").file("d/.wh..wh..opq", ""))) {
            RemoveTree.at(tree);
            Files.createDirectory(tree);
            unpack(low);
            unpack(top);
            assertEquals("beside d/ d/both d/sub/ d/sub/new", paths());
            assertEquals("top", Files.readString(tree.resolve("d/both")));
            assertEquals("40750 7 8", look(tree.resolve("d")));
        }
        unpack(new TarBytes().file("n/f", "").file("n/.wh..wh..opq", "").file("d/sub/.wh..wh..opq", ""));
        assertEquals("beside d/ d/both d/sub/ n/ n/f", paths());
    }

    @Test
    void otherMarksOfAufsAreIgnored() throws Exception {
        unpack(new TarBytes().file("plnk", "").file(".wh.plnk", ""));
        unpack(new TarBytes().file(".wh..wh.plnk", "").file(".wh..wh.aufs", "").file("d/.wh..wh.orph", ""));
        assertEquals("d/ plnk", paths());
    }

    @Test
    void anEntryReplacesWhatTheLayersBelowHave() throws Exception {
        unpack(new TarBytes().file("file", "low").file("dir/f", "").symlink("link", outside.toString() + "/precious")
                .symlink("dirlink", outside.toString()).file("become-dir", "").file("become-link/f", "")
                .file("become-fifo/f", ""));
        unpack(new TarBytes().file("file", "top").file("dir", "top").file("link", "top").directory("dirlink/", 0701)
                .directory("become-dir/", 0702).symlink("become-link", "/nowhere")
                .entry('6', "become-fifo", "", 0640, 1, 2,
                        new byte[0]));
        assertEquals("become-dir/ become-fifo become-link dir dirlink/ file link", paths());
        for (String name : List.of("file", "dir", "link")) {
            assertEquals("top", Files.readString(tree.resolve(name)));
            assertTrue(Files.isRegularFile(tree.resolve(name), LinkOption.NOFOLLOW_LINKS));
        }
        assertEquals("40701 0 0", look(tree.resolve("dirlink")));
        assertEquals("40702 0 0", look(tree.resolve("become-dir")));
        assertEquals("10640 1 2", look(tree.resolve("become-fifo")));
        assertEquals("/nowhere", Files.readSymbolicLink(tree.resolve("become-link")).toString());
    }

    @Test
    void aDirectoryKeepsItsContentAndTakesTheNewAttributesButAParentThatIsLeftOutTakesNone() throws Exception {
        unpack(new TarBytes().entry('5', "d/", "", 0700, 1, 2, new byte[0]).file("d/old", "")
                .entry('5', "p/", "", 02711, 3, 4, new byte[0]).file("p/old", ""));
        unpack(new TarBytes().entry('5', "./", "", 0751, 9, 9, new byte[0])
                .entry('5', "d/", "", 01777, 5, 6, new byte[0])
                .file("p/new", "").file("p/made/new", "").file("m/n/new", ""));
        assertEquals("d/ d/old m/ m/n/ m/n/new p/ p/made/ p/made/new p/new p/old", paths());
        assertEquals("40751 9 9", look(tree));
        assertEquals("41777 5 6", look(tree.resolve("d")));
        assertEquals(1_000_000_000_000L, Files.getLastModifiedTime(tree.resolve("d")).toMillis());
        assertEquals("42711 3 4", look(tree.resolve("p")));
        assertEquals("100644 0 0", look(tree.resolve("p/new")));
        assertEquals("40755 0 0", look(tree.resolve("m")));
        assertEquals("40755 0 0", look(tree.resolve("m/n")));
        unpack(new TarBytes().file("m/other", ""));
        assertEquals("40751 9 9", look(tree));
    }

    @Test
    void aParentThatIsALinkIsFollowedWithinTheTree() throws Exception {
        unpack(new TarBytes().symlink("lib", "usr/lib").file("usr/lib/old", "").symlink("abs", "/usr/lib")
                .symlink("dangling", "made/here").symlink("out", outside.toString()).symlink("loop", "loop"));
        unpack(new TarBytes().file("lib/new", "").file("abs/.wh.old", "").file("dangling/f", "").file("out/f", ""));
        String within = outside.toString().substring(1);
        assertTrue(Files.exists(tree.resolve(within).resolve("f")));
        RemoveTree.at(tree.resolve(Path.of(within).getName(0).toString()));
        assertEquals("abs dangling lib loop made/ made/here/ made/here/f out usr/ usr/lib/ usr/lib/new", paths());
        assertTrue(Files.isSymbolicLink(tree.resolve("lib")));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("loop/f", "")));
        // What a link meant before it was removed is forgotten.
        unpack(new TarBytes().file("lib/one", "").file(".wh.lib", "").file("lib/two", ""));
        assertEquals("abs dangling lib/ lib/two loop made/ made/here/ made/here/f out usr/ usr/lib/ usr/lib/new "
                + "usr/lib/one", paths());
    }

    @Test
    void aDirectoryThatAMarkHasRemovedIsMadeAnew() throws Exception {
        unpack(new TarBytes().entry('5', "a/b/", "", 0700, 1, 1, new byte[0]).file("a/b/old", ""));
        // The link's target has been looked up in it, so that it is open.
        unpack(new TarBytes().hardLink("h", "a/b/old").file("a/.wh.b", "").file("a/b/new", ""));
        assertEquals("a/ a/b/ a/b/new h", paths());
        assertEquals("40755 0 0", look(tree.resolve("a/b")));
    }

    @Test
    void aFileBelowGivesWayToADirectoryThatIsLeftOutButNotTheLayersOwnNorOneBehindALink() throws Exception {
        unpack(new TarBytes().file("f", "low").file("g", "low").symlink("l", "g"));
        unpack(new TarBytes().file("f/new", ""));
        assertEquals("f/ f/new g l", paths());
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("l/new", "")));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("g", "top").file("g/new", "")));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("n/f", "top").file("n/f/new", "")));
        assertEquals("top", Files.readString(tree.resolve("g")));
    }

    @Test
    void hardLinksToFilesOfTheLayersBelowAreMadeAndNotWrittenThrough() throws Exception {
        unpack(new TarBytes().file("a", "low").file("d/same", "").hardLink("b", "a")
                .symlink("s", outside + "/precious"));
        unpack(new TarBytes().hardLink("d/same", "a").hardLink("t", "s").file("b", "top").file("t", "top"));
        assertEquals("low", Files.readString(tree.resolve("d/same")));
        assertTrue(Files.isSameFile(tree.resolve("a"), tree.resolve("d/same")));
        assertEquals("top", Files.readString(tree.resolve("b")));
        for (TarBytes layer : List.of(new TarBytes().hardLink("x", "d"), new TarBytes().hardLink("x", "none"),
                new TarBytes().hardLink("x", "../outside/precious"),
                new TarBytes().hardLink("x", outside + "/precious"),
                new TarBytes().file(".wh.a", "").hardLink("x", "a"))) {
            assertEquals(Kind.DATA_LOSS, refused(layer));
        }
    }

    @Test
    void overlayfsOwnMarksInAnArchiveDeleteOrAreLeftOut() throws Exception {
        unpack(new TarBytes().file("d/f", "").file("f", "").file("g", ""));
        unpack(new TarBytes().device('3', "f", 0, 0).device('3', "d", 0, 0).device('3', "none", 0, 0)
                .pax(Map.of("SCHILY.xattr.trusted.overlay.opaque", "y", "SCHILY.xattr.user.overlay.opaque", "y"))
                .directory("e/", 0755));
        assertEquals("e/ g", paths());
        try (Fd top = Fd.openDirectory(tree)) {
            assertTrue(Inodes.attribute(top, Inodes.name("e"), "user.overlay.opaque").isEmpty());
        }
    }

    @Test
    void marksThatLeadOutAreRefusedOrStayWithin() throws Exception {
        unpack(new TarBytes().file("d/f", "").symlink("out", outside.toString()).symlink("up", "../../../../../.."));
        for (String mark : List.of(".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...", "d/../.wh.f",
                "../.wh.outside", "../outside/.wh.precious", "../outside/.wh..wh..opq", "..//.wh..wh..opq")) {
            assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file(mark, "")), mark);
            assertEquals("d/ d/f out up", paths(), mark);
        }
        unpack(new TarBytes().file("out/.wh.precious", "").file("out/.wh..wh..opq", "").file("up/.wh.outside", "")
                .file("up/" + outside.toString().substring(1) + "/.wh.precious", "").file("up/d/.wh.f", ""));
        // Directories for the marks are made in the tree, as far as the link leads there.
        RemoveTree.at(tree.resolve(outside.getName(0).toString()));
        assertEquals("d/ out up", paths());
        unpack(new TarBytes().file("up/.wh.out", "").file("up/.wh.up", ""));
        assertEquals("d/", paths());
    }

    @Test
    void anOpaqueRootLeavesTheRootAndWhatTheLayerHas() throws Exception {
        unpack(new TarBytes().file("old", "").file("d/old", "").symlink("out", outside.toString()).file("both", "low"));
        unpack(new TarBytes().file("both", "top").file("new/f", "").file("./.wh..wh..opq", "").file("late", ""));
        assertEquals("both late new/ new/f", paths());
        assertEquals("top", Files.readString(tree.resolve("both")));
    }

    @Test
    void aTreeTooDeepToWalkIsRefused() throws Exception {
        Path deep = tree.resolve("deep");
        for (int i = 0; i < 40; i++) {
            deep = deep.resolve("d");
        }
        Files.createDirectories(deep);
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file(".wh.deep", "")));
        assertEquals(Kind.DATA_LOSS, refused(new TarBytes().file("deep/.wh..wh..opq", "")));
        // What takes its place needs no look at what is in it.
        unpack(new TarBytes().file("deep", ""));
        assertEquals("deep", paths());
    }

    @Test
    void aTreeOfTheGreatestDepthIsDeletedOnTheThreadsOfTheDaemon() throws Exception {
        byte[] low = new TarBytes().pax(Map.of("path", "d/".repeat(1023) + "f")).file("f", "").bytes();
        byte[] top = new TarBytes().file(".wh.d", "").bytes();
        for (byte[] tar : List.of(low, top)) {
            Throwable[] failed = new Throwable[1];
            // Only what comes from a virtual thread goes to the pool, whose stacks are small.
            Thread.ofVirtual().start(() -> {
                try {
                    PlatformThreads.call(() -> UnpackLayer.inPlace(tree, UnpackLimits.DEFAULT,
                            new ByteArrayInputStream(tar), Digest.ofBytes(tar)));
                } catch (RuntimeException | Error e) {
                    failed[0] = e;
                }
            }).join();
            assertNull(failed[0], () -> failed[0].toString());
        }
        assertEquals("", paths());
    }

    @Test
    void aLargeDirectoryIsDeletedWhileItIsListed() throws Exception {
        Path large = Files.createDirectories(tree.resolve("d/large"));
        for (int i = 0; i < 5000; i++) {
            Files.createFile(large.resolve("f" + i));
        }
        Files.createDirectories(large.resolve("sub/sub"));
        unpack(new TarBytes().file("d/large/f1234", "own").file("d/large/n", "").file(".wh.d", ""));
        assertEquals("d/ d/large/ d/large/f1234 d/large/n", paths());
        assertEquals("own", Files.readString(large.resolve("f1234")));
    }

    @Test
    void contentOfAnotherDigestIsRefused() {
        byte[] tar = new TarBytes().file("f", "").bytes();
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> UnpackLayer.inPlace(tree, LIMITS,
                new ByteArrayInputStream(tar), Digest.ofBytes(new byte[1])));
        assertEquals(Kind.DATA_LOSS, fault.kind());
        Usage usage = unpack(new TarBytes().file("f", "x").directory("d", 0755).file(".wh.none", ""));
        assertEquals(new Usage(4096, 3), usage);
    }
}
