package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.berth.base.Digest;
import io.berth.linux.Fd;
import io.berth.linux.Inodes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The times that a layer says of its directories are set when all else is done. Needs root: device nodes. */
class DirectoryTimesIT {

    @TempDir
    Path root;

    private Snapshots snapshots;

    @BeforeEach
    void open() {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for device nodes");
        snapshots = new Snapshots(root, UnpackLimits.DEFAULT, "boot");
    }

    @AfterEach
    void await() {
        if (snapshots != null) {
            snapshots.awaitSync();
        }
    }

    private Path unpacked(TarBytes tar) {
        byte[] bytes = tar.bytes();
        Digest id = Digest.ofBytes(bytes);
        snapshots.unpack(Optional.empty(), id, id, "application/vnd.oci.image.layer.v1.tar",
                new ByteArrayInputStream(bytes));
        return root.resolve("snapshots/layers").resolve(id.hex()).resolve("fs");
    }

    private Path inPlace(TarBytes tar) throws IOException {
        byte[] bytes = tar.bytes();
        Path tree = Files.createDirectories(root.resolve("tree"));
        UnpackLayer.inPlace(tree, UnpackLimits.DEFAULT, new ByteArrayInputStream(bytes), Digest.ofBytes(bytes));
        return tree;
    }

    private static TarBytes directory(TarBytes tar, String name, int seconds) {
        return tar.pax(Map.of("mtime", Integer.toString(seconds))).directory(name, 0755);
    }

    private static long seconds(Path path) throws IOException {
        return Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toMillis() / 1000;
    }

    @Test
    void ofTwoEntriesForOneDirectoryTheLastWins() throws Exception {
        TarBytes tar = directory(directory(directory(directory(new TarBytes(), "./", 7), "d/", 1), "./", 8), "d/", 2)
                .file("d/f", "").symlink("l", "d").directory("d/s/", 0755);
        Path fs = unpacked(directory(directory(tar, "d/s/", 3), "l/s/", 4));
        assertEquals(2, seconds(fs.resolve("d")));
        assertEquals(8, seconds(fs));
        assertEquals(4, seconds(fs.resolve("d/s")));
    }

    @Test
    void aDirectoryThatALaterEntryHasReplacedIsNotBroughtBack() throws Exception {
        Path file = unpacked(directory(new TarBytes(), "d/sub/", 1).file("d", "file"));
        assertEquals("file", Files.readString(file.resolve("d")));
        TarBytes device = directory(new TarBytes(), "d/sub/", 1).file("f", "").device('3', "d", 0, 0);
        try (Fd fs = Fd.openDirectory(unpacked(device))) {
            assertTrue(Inodes.status(fs, Inodes.name("d")).orElseThrow().isWhiteout());
        }
        assertFalse(Files.exists(inPlace(device).resolve("d"), LinkOption.NOFOLLOW_LINKS));
        Path loop = unpacked(directory(new TarBytes(), "d/sub/", 1).symlink("d", "d"));
        assertTrue(Files.isSymbolicLink(loop.resolve("d")));
    }

    @Test
    void whatALaterLinkLeadsToKeepsItsOwnTime() throws Exception {
        Path fs = unpacked(directory(directory(new TarBytes(), "e/sub/", 5), "d/sub/", 6).symlink("d", "e"));
        assertEquals(5, seconds(fs.resolve("e/sub")));
    }

    @Test
    void thousandsOfDirectoriesHaveTheirTimesAndTheFileForThemIsGone() throws Exception {
        TarBytes tar = new TarBytes();
        for (int i = 0; i < 1500; i++) {
            directory(tar, "d" + i % 7 + "/" + "n".repeat(80) + i + "/", 1000 + i);
        }
        for (Path fs : new Path[] {unpacked(tar), inPlace(tar)}) {
            for (int i = 0; i < 1500; i++) {
                assertEquals(1000 + i, seconds(fs.resolve("d" + i % 7 + "/" + "n".repeat(80) + i)));
            }
            try (var top = Files.list(fs)) {
                assertEquals(7, top.count());
            }
        }
        try (var open = Files.list(Path.of("/proc/self/fd"))) {
            assertEquals(0, open.filter(fd -> target(fd).contains(root + "/") && target(fd).endsWith(" (deleted)"))
                    .count());
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }
}
