package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RootedPathTest {

    @TempDir
    Path root;

    @Test
    void linksAndDotsStayBelowTheRoot() throws Exception {
        Path inner = Files.createDirectories(root.resolve("inner/etc"));
        Files.writeString(inner.resolve("passwd"), "inside");
        Files.writeString(root.resolve("secret"), "outside");
        Files.createSymbolicLink(root.resolve("inner/absolute"), Path.of("/etc/passwd"));
        Files.createSymbolicLink(root.resolve("inner/up"), Path.of("../../../etc/passwd"));
        try (Fd at = Fd.openDirectory(root.resolve("inner"))) {
            for (String path : new String[] {"absolute", "up", "/etc/passwd", "../../etc/passwd"}) {
                try (Fd file = RootedPath.openReadOnly(at, path)) {
                    assertEquals("inside", file.readAll(100), path);
                }
            }
            assertEquals(Errno.ENOENT, errno(() -> RootedPath.openReadOnly(at, "../secret")));
            assertEquals(Errno.EXDEV, errno(() ->
                    RootedPath.openDirectory(at, Inodes.name("../inner"), RootedPath.Escape.IS_REFUSED)));
            assertEquals(Errno.EXDEV, errno(() ->
                    RootedPath.openDirectory(at, Inodes.name("/etc"), RootedPath.Escape.IS_REFUSED)));
        }
    }

    @Test
    void linksOfProcAreNeverFollowed() {
        try (Fd proc = Fd.openDirectory(Path.of("/proc/self"))) {
            assertEquals(Errno.ELOOP, errno(() -> RootedPath.openHandle(proc, "exe")));
        }
    }

    @Test
    void aHandleLeadsToWhatWasOpenedThoughTheNameHasChanged() throws Exception {
        Files.writeString(root.resolve("a"), "first");
        try (Fd handle = RootedPath.openHandle(root, "a")) {
            Files.move(root.resolve("a"), root.resolve("b"));
            Files.writeString(root.resolve("a"), "second");
            assertEquals("first", Files.readString(handle.procPath()));
        }
    }

    private static int errno(Runnable call) {
        SystemCallFault fault = assertThrows(SystemCallFault.class, call::run);
        assertTrue(fault.getMessage().startsWith("open "));
        return fault.errno();
    }
}
