package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InodesTest {

    @TempDir
    Path root;

    private Fd directory;

    @BeforeEach
    void open() {
        directory = Fd.openDirectory(root);
    }

    @AfterEach
    void close() {
        directory.close();
    }

    @Test
    void aFileHasTheModeTimeAndAttributeThatItWasGiven() throws Exception {
        byte[] name = Inodes.name("f");
        try (Fd file = Inodes.createFile(directory, name, 0600)) {
            file.write(new byte[5000], 0, 5000);
            Inodes.changeMode(file, 04751);
            Inodes.setTimes(file, 1_234_567, 89);
            Inodes.sync(file);
        }
        Inodes.setAttribute(directory, name, "user.x", new byte[] {1, 0, 2});
        Inodes.Status status = Inodes.status(directory, name).orElseThrow();
        assertEquals(Inodes.REGULAR | 04751, status.mode());
        assertEquals(5000, status.sizeBytes());
        assertTrue(status.allocatedBytes() >= 5000);
        assertEquals(1_234_567, status.modifiedSeconds());
        assertEquals(89, status.modifiedNanos());
        assertArrayEquals(new byte[] {1, 0, 2}, Inodes.attribute(directory, name, "user.x").orElseThrow());
        assertTrue(Inodes.attribute(directory, name, "user.y").isEmpty());
        assertEquals(Errno.EEXIST,
                assertThrows(SystemCallFault.class, () -> Inodes.createFile(directory, name, 0600)).errno());
    }

    @Test
    void anAttributeIsRemovedOnce() {
        byte[] name = Inodes.name("d");
        Inodes.makeDirectory(directory, name, 0700);
        Inodes.setAttribute(directory, name, "user.x", new byte[] {1});
        assertTrue(Inodes.removeAttribute(directory, name, "user.x"));
        assertTrue(Inodes.attribute(directory, name, "user.x").isEmpty());
        assertFalse(Inodes.removeAttribute(directory, name, "user.x"));
        assertFalse(Inodes.removeAttribute(directory, Inodes.name("none"), "user.x"));
    }

    @Test
    void aFileWithoutANameIsWrittenAndReadBack() throws Exception {
        try (Fd file = Inodes.createUnnamed(directory, Inodes.name("f"))) {
            assertEquals(0, Inodes.status(file).links());
            file.write(new byte[] {1, 2, 3}, 0, 3);
            file.seek(1);
            byte[] found = new byte[3];
            assertEquals(2, file.read(found, 0, 3));
            assertArrayEquals(new byte[] {2, 3, 0}, found);
        }
        try (var files = Files.list(root)) {
            assertEquals(0, files.count());
        }
        Files.createFile(root.resolve("f"));
        assertEquals(Errno.EEXIST, assertThrows(SystemCallFault.class,
                () -> Inodes.createUnnamed(directory, Inodes.name("f"))).errno());
        assertTrue(Files.exists(root.resolve("f")));
    }

    @Test
    void linksAreMadeAndChangedThemselves() throws Exception {
        Files.writeString(root.resolve("target"), "x");
        Inodes.makeSymlink(Inodes.name("target"), directory, Inodes.name("s"));
        Inodes.makeLink(directory, Inodes.name("target"), directory, Inodes.name("h"));
        Inodes.setTimes(directory, Inodes.name("s"), 1000, 0);
        assertEquals(1000, Inodes.status(directory, Inodes.name("s")).orElseThrow().modifiedSeconds());
        assertEquals(Inodes.SYMLINK, Inodes.status(directory, Inodes.name("s")).orElseThrow().type());
        assertArrayEquals(Inodes.name("target"), Inodes.linkTarget(directory, Inodes.name("s")).orElseThrow());
        assertTrue(Inodes.linkTarget(directory, Inodes.name("h")).isEmpty());
        assertEquals(2, Inodes.status(directory, Inodes.name("h")).orElseThrow().links());
    }

    @Test
    void namesThatLeadElsewhereAreRefused() {
        for (String name : new String[] {"", ".", "..", "a/b", "/", "a\0b", "n".repeat(256)}) {
            assertThrows(SystemCallFault.class, () -> Inodes.makeDirectory(directory, Inodes.name(name), 0755), name);
        }
        Inodes.makeDirectory(directory, Inodes.name("..."), 0755);
        Inodes.removeDirectory(directory, Inodes.name("..."));
        assertFalse(Inodes.status(directory, Inodes.name("...")).isPresent());
    }

    @Test
    void namesNeedNotBeText() {
        byte[] name = {(byte) 0xff, (byte) 0xfe};
        Inodes.makeDirectory(directory, name, 0700);
        assertTrue(Inodes.status(directory, name).orElseThrow().isDirectory());
        Inodes.removeDirectory(directory, name);
        assertEquals("\"\\xff\\xfe\"", Inodes.shown(name));
    }
}
