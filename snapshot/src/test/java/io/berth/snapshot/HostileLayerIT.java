package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.luben.zstd.ZstdOutputStream;
import io.berth.base.Digest;
import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers made to hurt. Each test names the budget or door that it would pass without. Needs root. */
class HostileLayerIT {

    private static final String TYPE = "application/vnd.oci.image.layer.v1.tar";
    private static final UnpackLimits ROOMY = new UnpackLimits(1_000_000, 1L << 40, 4095, 1024, 1 << 20, 1L << 40,
            1L << 40, Duration.ofHours(1));

    @TempDir
    Path root;

    private Snapshots snapshots;
    private Path outside;

    @BeforeEach
    void open() throws IOException {
        assumeTrue(System.getProperty("user.name").equals("root"), "skipped: needs root for owners and trusted attributes");
        outside = Files.createDirectory(root.resolve("outside"));
        Files.writeString(outside.resolve("precious"), "untouched");
    }

    @AfterEach
    void nothingIsLeftAndNothingOutsideHasChanged() throws Exception {
        if (snapshots != null) {
            snapshots.awaitSync();
            Path scratch = root.resolve("snapshots/tmp");
            for (int i = 0; i < 1000 && !isEmpty(scratch); i++) {
                Thread.sleep(10);
            }
            assertTrue(isEmpty(scratch), "a refused layer must not stay on the disk");
        }
        try (var files = Files.list(outside)) {
            assertEquals(List.of(outside.resolve("precious")), files.toList());
        }
        assertEquals("untouched", Files.readString(outside.resolve("precious")));
        assertEquals(1, Files.getAttribute(outside.resolve("precious"), "unix:nlink"));
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }

    private RuntimeFault refused(UnpackLimits limits, InputStream layer) {
        snapshots = new Snapshots(root, limits, "boot");
        Digest any = Digest.ofBytes(new byte[] {1});
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> snapshots.unpack(Optional.empty(), any, any, TYPE, layer));
        assertTrue(snapshots.chains().isEmpty());
        return fault;
    }

    private RuntimeFault refused(UnpackLimits limits, TarBytes tar) {
        return refused(limits, new ByteArrayInputStream(tar.bytes()));
    }

    private Path unpacked(UnpackLimits limits, TarBytes tar) {
        snapshots = new Snapshots(root, limits, "boot");
        byte[] bytes = tar.bytes();
        Digest id = Digest.ofBytes(bytes);
        snapshots.unpack(Optional.empty(), id, id, TYPE, new ByteArrayInputStream(bytes));
        return root.resolve("snapshots/layers").resolve(id.hex()).resolve("fs");
    }

    @Test
    void aSymbolicLinkDoesNotLeadOutside() throws Exception {
        String up = "../".repeat(12);
        Path fs = unpacked(ROOMY, new TarBytes().symlink("absolute", outside.toString()).file("absolute/a", "x")
                .symlink("relative", up + outside.toString().substring(1)).file("relative/b", "x")
                .symlink("first", "second").symlink("second", outside.toString()).file("first/c", "x")
                .symlink("last", outside.resolve("precious").toString()).file("last", "replaced"));
        Path within = fs.resolve(outside.toString().substring(1));
        for (String name : List.of("a", "b", "c")) {
            assertEquals("x", Files.readString(within.resolve(name)));
        }
        assertTrue(Files.isRegularFile(fs.resolve("last"), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void aHardLinkDoesNotReachOutside() {
        String precious = outside.resolve("precious").toString();
        assertEquals(Kind.DATA_LOSS, refused(ROOMY, new TarBytes().hardLink("a", precious)).kind());
        assertEquals(Kind.DATA_LOSS, refused(ROOMY, new TarBytes().hardLink("a", "../../../../outside/precious")).kind());
        assertEquals(Kind.DATA_LOSS, refused(ROOMY, new TarBytes().symlink("out", outside.toString())
                .hardLink("a", "out/precious").file("a", "overwritten")).kind());
        // A link to a symbolic link is that link itself; what is written under the name afterwards replaces it.
        RuntimeFault fault = refused(ROOMY, new TarBytes().symlink("s", precious).hardLink("h", "s").file("h", "x")
                .hardLink("h/below", "s"));
        assertEquals(Kind.DATA_LOSS, fault.kind());
    }

    @Test
    void aDirectoryThatSomebodySwapsForALinkIsNotWrittenThrough() throws Exception {
        snapshots = new Snapshots(root, ROOMY, "boot");
        Path scratch = root.resolve("snapshots/tmp");
        // More than the reader reads ahead, so that the directory is there when it comes to the swap.
        byte[] before = new TarBytes().directory("a/", 0755).directory("a/b/", 0755).file("a/b/one", "1")
                .entry('0', "padding", "", 0644, 0, 0, new byte[4 << 20]).bytes();
        TarBytes later = new TarBytes();
        // As many other directories as make the unpacker close the one it has open and look it up again.
        for (int i = 0; i < 70; i++) {
            later.file("other" + i + "/f", "x");
        }
        byte[] after = later.file("a/b/two", "2").file("a/three", "3").directory("a/c/", 0755)
                .file("a/c/four", "4").hardLink("a/six", "a/precious").bytes();
        InputStream swapping = new SequenceInputStream(new ByteArrayInputStream(before, 0, before.length - 1024),
                new InputStream() {
                    private final InputStream rest = new ByteArrayInputStream(after);
                    private boolean swapped;

                    @Override
                    public int read() {
                        throw new IllegalStateException();
                    }

                    @Override
                    public int read(byte[] buffer, int from, int count) throws IOException {
                        if (!swapped) {
                            swapped = true;
                            swap(scratch);
                        }
                        return rest.read(buffer, from, count);
                    }
                });
        byte[] whole = new byte[before.length - 1024 + after.length];
        System.arraycopy(before, 0, whole, 0, before.length - 1024);
        System.arraycopy(after, 0, whole, before.length - 1024, after.length);
        Digest id = Digest.ofBytes(whole);
        // The last entry is a hard link to what is outside: within the layer there is no such file.
        RuntimeFault fault = assertThrows(RuntimeFault.class,
                () -> snapshots.unpack(Optional.empty(), id, id, TYPE, swapping));
        assertEquals(Kind.DATA_LOSS, fault.kind(), fault.getMessage());
        assertFalse(snapshots.has(id));
    }

    private void swap(Path scratch) throws IOException {
        Path found;
        try (var layers = Files.list(scratch)) {
            found = layers.map(layer -> layer.resolve("fs/a")).filter(Files::isDirectory).findFirst().orElseThrow();
        }
        Files.move(found, found.resolveSibling("moved"));
        Files.createSymbolicLink(found, outside);
    }

    @Test
    void gzipAndZstdBombsEndAtTheRatio() throws Exception {
        UnpackLimits limits = new UnpackLimits(1000, 1L << 40, 4095, 1024, 1 << 20, 100, 16 << 20, Duration.ofHours(1));
        for (Kind kind : List.of(refused(limits, bomb(true)).kind(), refused(limits, bomb(false)).kind())) {
            assertEquals(Kind.RESOURCE_EXHAUSTED, kind);
        }
        assertTrue(refused(limits, bomb(true)).getMessage().contains("expands"));
    }

    @Test
    void aBombEndsAtTheBytesToo() throws Exception {
        UnpackLimits limits = new UnpackLimits(1000, 64 << 20, 4095, 1024, 1 << 20, 1L << 40, 1L << 40, Duration.ofHours(1));
        assertEquals(Kind.RESOURCE_EXHAUSTED, refused(limits, bomb(true)).kind());
        // Also when the bytes stand behind the archive's end, where nothing is written.
        byte[] empty = new TarBytes().file("a", "").bytes();
        InputStream padded = new SequenceInputStream(new ByteArrayInputStream(empty), zeros(1L << 30));
        assertEquals(Kind.RESOURCE_EXHAUSTED, refused(limits, padded).kind());
    }

    private static InputStream zeros(long length) {
        return new InputStream() {
            private long left = length;

            @Override
            public int read() {
                return left-- > 0 ? 0 : -1;
            }

            @Override
            public int read(byte[] buffer, int from, int count) {
                int got = (int) Math.min(count, left);
                java.util.Arrays.fill(buffer, from, from + got, (byte) 0);
                left -= got;
                return got == 0 ? -1 : got;
            }
        };
    }

    private static InputStream bomb(boolean gzip) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream packed = gzip ? new GZIPOutputStream(out) : new ZstdOutputStream(out)) {
            packed.write(new TarBytes().entry('0', "zeros", "", 0644, 0, 0, new byte[0], 256L << 20, 0, 0).bytes(), 0, 512);
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 256; i++) {
                packed.write(zeros);
            }
        }
        return new ByteArrayInputStream(out.toByteArray());
    }

    @Test
    void aSparseBombEndsAtTheBytes() {
        UnpackLimits limits = new UnpackLimits(1000, 1L << 30, 4095, 1024, 1 << 20, 600, 1L << 30, Duration.ofHours(1));
        TarBytes one = new TarBytes().pax(Map.of("GNU.sparse.map", "0,1", "GNU.sparse.size", Long.toString(1L << 40)))
                .file("huge", "x");
        RuntimeFault fault = refused(limits, one);
        assertEquals(Kind.RESOURCE_EXHAUSTED, fault.kind(), fault.getMessage());
        TarBytes many = new TarBytes();
        for (int i = 0; i < 5; i++) {
            many.pax(Map.of("GNU.sparse.map", "0,1", "GNU.sparse.size", Long.toString(300L << 20))).file("h" + i, "x");
        }
        assertEquals(Kind.RESOURCE_EXHAUSTED, refused(limits, many).kind());
    }

    @Test
    void sparseMapsThatLieAreRefused() {
        for (String map : List.of("0,2", "5,1,0,0", "0,1,0,1", "9223372036854775807,1", "0,1,1", "-1,1", "11,1", "a,b")) {
            RuntimeFault fault = refused(ROOMY, new TarBytes().pax(Map.of("GNU.sparse.map", map, "GNU.sparse.size", "10"))
                    .file("f", "x"));
            assertEquals(Kind.DATA_LOSS, fault.kind(), map);
        }
        Map<String, String> endless = Map.of("GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.realsize", "9");
        assertEquals(Kind.DATA_LOSS, refused(ROOMY, new TarBytes().pax(endless).file("f", "999999999\n" + "1\n".repeat(400)))
                .kind());
    }

    @Test
    void moreEntriesThanAllowedAreRefusedWhileTheyCome() {
        UnpackLimits limits = new UnpackLimits(500, 1L << 40, 4095, 1024, 1 << 20, 600, 1L << 40, Duration.ofHours(1));
        byte[] entry = new TarBytes().hardLink("x", "x").bytes();
        byte[] first = new TarBytes().file("x", "").bytes();
        long[] read = new long[1];
        // Ten million entries that are never in memory; only as many are read as the buffers hold.
        InputStream endless = new InputStream() {
            private long at;

            @Override
            public int read() {
                throw new IllegalStateException();
            }

            @Override
            public int read(byte[] buffer, int from, int count) {
                if (at >= 10_000_000L * 512) {
                    return -1;
                }
                byte[] source = at < 512 ? first : new TarBytes().symlink("l" + at, "x").bytes();
                int got = (int) Math.min(count, 512 - at % 512);
                System.arraycopy(source, (int) (at % 512), buffer, from, got);
                at += got;
                read[0] = at;
                return got;
            }
        };
        assertEquals(512, entry.length - 1024);
        assertEquals(Kind.RESOURCE_EXHAUSTED, refused(limits, endless).kind());
        assertTrue(read[0] < 10 << 20, "it read " + read[0] + " bytes ahead");
    }

    @Test
    void hugeHeadersDepthAndNamesAreRefused() {
        UnpackLimits limits = new UnpackLimits(1000, 1L << 40, 4095, 50, 1 << 16, 600, 1L << 40, Duration.ofHours(1));
        assertEquals(Kind.DATA_LOSS, refused(limits, new TarBytes()
                .pax(Map.of("comment", "c".repeat(1 << 16))).file("a", "")).kind());
        assertEquals(Kind.DATA_LOSS, refused(limits, new TarBytes()
                .entry('L', "l", "", 0, 0, 0, new byte[(1 << 16) + 1]).file("a", "")).kind());
        TarBytes headers = new TarBytes();
        for (int i = 0; i < 40; i++) {
            headers.pax(Map.of("comment", "c"));
        }
        assertEquals(Kind.DATA_LOSS, refused(limits, headers.file("a", "")).kind());
        RuntimeFault deep = refused(limits, new TarBytes().pax(Map.of("path", "d/".repeat(60) + "f")).file("f", ""));
        assertEquals(Kind.DATA_LOSS, deep.kind());
        assertTrue(deep.getMessage().contains("deeper"), deep.getMessage());
    }

    @Test
    void unpackingEndsAtItsTimeButWaitingForTheNetworkIsFree() throws Exception {
        UnpackLimits none = new UnpackLimits(1000, 1L << 40, 4095, 50, 1 << 16, 600, 1L << 40, Duration.ZERO);
        RuntimeFault fault = refused(none, new TarBytes().file("a", "x"));
        assertEquals(Kind.RESOURCE_EXHAUSTED, fault.kind());
        UnpackLimits short5 = new UnpackLimits(1000, 1L << 40, 4095, 50, 1 << 16, 600, 1L << 40, Duration.ofSeconds(5));
        byte[] tar = new TarBytes().file("a", "x").bytes();
        Digest id = Digest.ofBytes(tar);
        snapshots = new Snapshots(root, short5, "boot");
        InputStream slow = new ByteArrayInputStream(tar) {
            @Override
            public synchronized int read(byte[] buffer, int from, int count) {
                try {
                    Thread.sleep(1500);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return super.read(buffer, from, Math.min(count, 512));
            }
        };
        snapshots.unpack(Optional.empty(), id, id, TYPE, slow);
        assertTrue(snapshots.has(id));
    }

    @Test
    void membersOfOneGzipFileAreAllRead() throws Exception {
        byte[] tar = new TarBytes().file("a", "1").file("b", "2").bytes();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < tar.length; at += 512) {
            GZIPOutputStream member = new GZIPOutputStream(out);
            member.write(tar, at, 512);
            member.finish();
        }
        byte[] blob = out.toByteArray();
        // A stream that comes from the network says that nothing is available, though more comes.
        InputStream dribble = new ByteArrayInputStream(blob) {
            @Override
            public synchronized int available() {
                return 0;
            }

            @Override
            public synchronized int read(byte[] buffer, int from, int count) {
                return super.read(buffer, from, Math.min(count, 7));
            }
        };
        Digest id = Digest.ofBytes(tar);
        snapshots = new Snapshots(root, ROOMY, "boot");
        snapshots.unpack(Optional.empty(), id, id, TYPE, dribble);
        assertEquals("2", Files.readString(root.resolve("snapshots/layers").resolve(id.hex()).resolve("fs/b"),
                StandardCharsets.US_ASCII));
    }
}
