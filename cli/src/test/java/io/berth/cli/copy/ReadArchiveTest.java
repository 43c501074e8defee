package io.berth.cli.copy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.berth.base.RuntimeFault;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a container's tar may and may not do to the machine that copies from it. */
class ReadArchiveTest {

    @TempDir
    private Path directory;

    private final List<String> skipped = new ArrayList<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes);

    private void entry(String name, byte type, String content, int mode) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, type, true);
        entry.setMode(mode);
        if (type == TarConstants.LF_SYMLINK || type == TarConstants.LF_LINK) {
            entry.setLinkName(content);
            content = "";
        }
        entry.setSize(content.length());
        tar.putArchiveEntry(entry);
        tar.write(content.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        tar.closeArchiveEntry();
    }

    private int read(Path target) throws IOException {
        tar.close();
        return new ReadArchive(skipped::add).read(new ByteArrayInputStream(bytes.toByteArray()), "d", target);
    }

    private List<String> found() throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.map(path -> directory.relativize(path).toString()).filter(name -> !name.isEmpty()).sorted().toList();
        }
    }

    @Test
    void filesAndDirectoriesArriveWithTheirPermissionsButNoSpecialBits() throws IOException {
        entry("d/", TarConstants.LF_DIR, "", 0755);
        entry("d/sub/f", TarConstants.LF_NORMAL, "hello", 04755);
        assertEquals(1, read(directory.resolve("out")));
        Path file = directory.resolve("out/sub/f");
        assertEquals("hello", Files.readString(file));
        assertEquals("rwxr-xr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(0, (int) Files.getAttribute(file, "unix:mode") & 07000);
    }

    @Test
    void nothingLeavesTheTarget() throws IOException {
        entry("d/../../evil", TarConstants.LF_NORMAL, "x", 0644);
        entry("../evil", TarConstants.LF_NORMAL, "x", 0644);
        entry("/evil", TarConstants.LF_NORMAL, "x", 0644);
        entry("other", TarConstants.LF_NORMAL, "x", 0644);
        entry("d/..", TarConstants.LF_NORMAL, "x", 0644);
        assertEquals(0, read(directory.resolve("out")));
        assertEquals(5, skipped.size());
        assertEquals(List.of(), found());
    }

    @Test
    void nothingIsWrittenThroughALink() throws IOException {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        entry("d/", TarConstants.LF_DIR, "", 0755);
        entry("d/link", TarConstants.LF_SYMLINK, outside.toString(), 0777);
        entry("d/link/evil", TarConstants.LF_NORMAL, "x", 0644);
        entry("d/hard", TarConstants.LF_LINK, "/etc/passwd", 0644);
        entry("d/pipe", TarConstants.LF_FIFO, "", 0644);
        read(directory.resolve("out"));
        assertEquals(List.of("out", "out/link", "out/link/evil", "outside"), found());
        assertFalse(Files.isSymbolicLink(directory.resolve("out/link")));
        assertEquals(3, skipped.size());
    }

    @Test
    void aLinkThatWasThereBeforeIsNotFollowed() throws IOException {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Path out = Files.createDirectory(directory.resolve("out"));
        Files.createSymbolicLink(out.resolve("sub"), outside);
        Files.createSymbolicLink(out.resolve("f"), outside.resolve("f"));
        entry("d/f", TarConstants.LF_NORMAL, "x", 0644);
        entry("d/sub/evil", TarConstants.LF_NORMAL, "x", 0644);
        assertThrows(RuntimeFault.class, () -> read(out));
        assertFalse(Files.exists(outside.resolve("evil"), LinkOption.NOFOLLOW_LINKS));
        assertFalse(Files.exists(outside.resolve("f"), LinkOption.NOFOLLOW_LINKS));
    }
}
