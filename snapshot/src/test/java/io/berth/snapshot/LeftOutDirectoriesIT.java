package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Directories that archives leave out look as overlayfs would show those of the layers below. Needs root: owners. */
class LeftOutDirectoriesIT {

    @TempDir
    Path root;

    private Snapshots snapshots;
    private final List<Digest> chain = new ArrayList<>();

    @BeforeEach
    void open() {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for owners");
        snapshots = new Snapshots(root, UnpackLimits.DEFAULT, "boot");
    }

    @AfterEach
    void await() {
        if (snapshots != null) {
            snapshots.awaitSync();
        }
    }

    private LeftOutDirectoriesIT layer(TarBytes layer) {
        byte[] tar = layer.bytes();
        Digest diffId = Digest.ofBytes(tar);
        Optional<Digest> parent = chain.isEmpty() ? Optional.empty() : Optional.of(chain.getLast());
        Digest id = parent.map(p -> Digest.ofBytes((p + " " + diffId).getBytes(StandardCharsets.UTF_8))).orElse(diffId);
        snapshots.unpack(parent, id, diffId, "application/vnd.oci.image.layer.v1.tar", new ByteArrayInputStream(tar));
        chain.add(id);
        return this;
    }

    private String look(String path) throws IOException {
        Path found = root.resolve("snapshots/layers").resolve(chain.getLast().hex()).resolve("fs").resolve(path);
        try (Fd parent = Fd.openDirectory(found.getParent())) {
            byte[] name = Inodes.name(found.getFileName().toString());
            assertTrue(Inodes.attribute(parent, name, "trusted.berth.implied").isEmpty(), path + " is still marked");
        }
        Map<String, Object> is = Files.readAttributes(found, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
        return "%o %s %s".formatted((int) is.get("mode"), is.get("uid"), is.get("gid"));
    }

    private static TarBytes owned(TarBytes tar, String name, int mode, int owner) {
        return tar.entry('5', name, "", mode, owner, owner, new byte[0]);
    }

    private static TarBytes low() {
        return owned(owned(owned(new TarBytes(), "a/", 0701, 1), "a/b/", 0702, 2), "a/b/c/", 0703, 3)
                .file("a/b/c/low", "");
    }

    @Test
    void theTopmostDirectoryBelowIsTheModel() throws Exception {
        layer(low()).layer(owned(new TarBytes(), "a/", 0711, 4).file("x", ""))
                .layer(new TarBytes().file("a/b/c/f", ""));
        assertEquals("40711 4 4", look("a"));
        assertEquals("40702 2 2", look("a/b"));
        assertEquals("40703 3 3", look("a/b/c"));
        layer(new TarBytes().file("a/b/n/o/f", "").file("a/b/c/g", ""));
        assertEquals("40702 2 2", look("a/b"));
        assertEquals("40755 0 0", look("a/b/n"));
        assertEquals("40755 0 0", look("a/b/n/o"));
        assertEquals("40703 3 3", look("a/b/c"));
    }

    @Test
    void whatAnOpaqueDirectoryInBetweenHidesIsNoModel() throws Exception {
        layer(low()).layer(owned(new TarBytes(), "a/", 0711, 4).file("a/.wh..wh..opq", ""))
                .layer(new TarBytes().file("a/b/c/f", ""));
        assertEquals("40711 4 4", look("a"));
        assertEquals("40755 0 0", look("a/b"));
        assertEquals("40755 0 0", look("a/b/c"));
    }

    @Test
    void anOpaqueParentFurtherUpHidesToo() throws Exception {
        layer(low()).layer(owned(owned(new TarBytes(), "a/", 0711, 4).file("a/.wh..wh..opq", ""), "a/b/", 0712, 5))
                .layer(new TarBytes().file("a/b/c/f", ""));
        assertEquals("40712 5 5", look("a/b"));
        assertEquals("40755 0 0", look("a/b/c"));
    }

    @Test
    void aWhiteoutOrAnotherFileOfAParentHidesWhatIsBelow() throws Exception {
        layer(low()).layer(new TarBytes().file(".wh.a", "")).layer(new TarBytes().file("a/b/f", ""));
        assertEquals("40755 0 0", look("a"));
        assertEquals("40755 0 0", look("a/b"));
        chain.clear();
        layer(owned(low(), "e/b/", 0704, 4)).layer(new TarBytes().symlink("a", "e"))
                .layer(new TarBytes().file("a/b/f", ""));
        assertEquals("40755 0 0", look("a/b"));
    }

    @Test
    void theLayersOwnOpaqueMarkHidesWhatIsInTheDirectoryButNotItsLook() throws Exception {
        layer(low()).layer(new TarBytes().file("a/b/f", "").file("a/.wh..wh..opq", ""));
        assertEquals("40701 1 1", look("a"));
        assertEquals("40755 0 0", look("a/b"));
        layer(low()).layer(new TarBytes().file(".wh.a", "").file("a/b/f", ""));
        assertEquals("40755 0 0", look("a"));
        assertEquals("40755 0 0", look("a/b"));
    }

    @Test
    void anEntryThatComesLaterHasTheLastWord() throws Exception {
        TarBytes top = new TarBytes().symlink("l", "a").file("a/b/c/f", "");
        layer(low()).layer(owned(owned(top, "l/b/", 0721, 7), "a/", 0755, 0));
        assertEquals("40755 0 0", look("a"));
        assertEquals("40721 7 7", look("a/b"));
        assertEquals("40703 3 3", look("a/b/c"));
        layer(new TarBytes().file("a/b/f", "").file("a", "file"));
        assertEquals("100644 0 0", look("a"));
        layer(low()).layer(owned(new TarBytes().file("a/b/f", ""), "e/b/", 0731, 8).symlink("a", "e"));
        assertEquals("40731 8 8", look("e/b"));
    }

    @Test
    void theyCountAsEntries() throws Exception {
        snapshots = new Snapshots(root, new UnpackLimits(100, 1 << 20, 4095, 1024, 1 << 16, 600, 8 << 20,
                Duration.ofMinutes(5)), "boot");
        layer(new TarBytes().file("d/".repeat(90) + "f", ""));
        TarBytes many = new TarBytes();
        for (int i = 0; i < 5; i++) {
            many.file(i + "/d".repeat(40), "");
        }
        RuntimeFault fault = assertThrows(RuntimeFault.class, () -> layer(many));
        assertEquals(RuntimeFault.Kind.RESOURCE_EXHAUSTED, fault.kind());
        assertTrue(fault.getMessage().contains("leaves out"), fault.getMessage());
    }

    // When the thread ends by an error, nobody else says that the layer is on the disk.
    @Timeout(120)
    @Test
    void theGreatestDepthIsCountedWhenTheLayerIsOnTheDisk() throws Exception {
        layer(new TarBytes().pax(Map.of("path", "d/".repeat(1023) + "f")).file("f", ""));
        snapshots.awaitSync();
        // Counting, on a thread with a small stack, has changed the estimate.
        assertTrue(snapshots.layerUsage().inodes() > 100, snapshots.layerUsage().toString());
        RemoveTree.at(root.resolve("snapshots/layers"));
    }
}
