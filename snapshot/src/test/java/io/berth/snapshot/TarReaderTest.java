package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TarReaderTest {

    private static TarReader reader(byte[] bytes) {
        return new TarReader(new ByteArrayInputStream(bytes), UnpackLimits.DEFAULT);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @Test
    void entriesAreReadWithTheirContent() throws IOException {
        TarReader tar = reader(new TarBytes().directory("a/", 0755).file("a/b", "hello").symlink("l", "a").bytes());
        TarEntry directory = tar.next().orElseThrow();
        assertEquals(TarReader.DIRECTORY, directory.type());
        assertEquals(0755, directory.mode());
        TarEntry file = tar.next().orElseThrow();
        assertEquals("a/b", text(file.name()));
        assertEquals(5, file.sizeBytes());
        assertEquals(1_000_000_000, file.seconds());
        byte[] buffer = new byte[100];
        assertEquals(5, tar.read(buffer, buffer.length));
        assertEquals(-1, tar.read(buffer, buffer.length));
        assertEquals("a", text(tar.next().orElseThrow().linkName()));
        assertTrue(tar.next().isEmpty());
    }

    @Test
    void contentThatNobodyReadsIsSkipped() throws IOException {
        TarReader tar = reader(new TarBytes().file("a", "x".repeat(2000)).file("b", "").bytes());
        tar.next();
        assertEquals("b", text(tar.next().orElseThrow().name()));
    }

    @Test
    void paxRecordsReplaceWhatTheHeaderSays() throws IOException {
        Map<String, String> records = new LinkedHashMap<>();
        records.put("path", "p/" + "n".repeat(300));
        records.put("mtime", "12.5");
        records.put("uid", "3000000");
        records.put("SCHILY.xattr.user.a", "v=1\n");
        TarReader tar = reader(new TarBytes().pax(records).file("short", "").bytes());
        TarEntry entry = tar.next().orElseThrow();
        assertEquals(302, entry.name().length);
        assertEquals(12, entry.seconds());
        assertEquals(500_000_000, entry.nanos());
        assertEquals(3_000_000, entry.uid());
        assertArrayEquals("v=1\n".getBytes(StandardCharsets.ISO_8859_1), entry.attributes().get("user.a"));
    }

    @Test
    void gnuLongNamesAreRead() throws IOException {
        byte[] name = ("d/" + "n".repeat(200) + "\0").getBytes(StandardCharsets.ISO_8859_1);
        TarReader tar = reader(new TarBytes().entry('L', "././@LongLink", "", 0, 0, 0, name).file("cut", "").bytes());
        assertEquals(202, tar.next().orElseThrow().name().length);
    }

    @Test
    void unknownTypesAreRefusedByName() {
        assertEquals(Kind.UNSUPPORTED, kind(new TarBytes().entry('V', "s", "", 0644, 0, 0, new byte[0]).bytes()));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().pax(Map.of("GNU.sparse.map", "0,1")).file("s", "").bytes()));
    }

    @Test
    void anArchiveWithoutItsLastPaddingIsWhole() throws IOException {
        byte[] good = new TarBytes().file("a", "content").bytes();
        TarReader tar = reader(Arrays.copyOf(good, 512 + 7));
        byte[] buffer = new byte[100];
        assertEquals("a", text(tar.next().orElseThrow().name()));
        assertEquals(7, tar.read(buffer, 100));
        assertTrue(tar.next().isEmpty());
    }

    @Test
    void malformedArchivesAreRefused() {
        byte[] good = new TarBytes().file("a", "content").bytes();
        byte[] wrongSum = good.clone();
        wrongSum[0] ^= 1;
        assertEquals(Kind.DATA_LOSS, kind(wrongSum));
        assertEquals(Kind.DATA_LOSS, kind(Arrays.copyOf(good, 300)));
        assertEquals(Kind.DATA_LOSS, kind(Arrays.copyOf(good, 515)));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().entry('x', "p", "", 0, 0, 0, "99 a=b\n".getBytes()).bytes()));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().entry('x', "p", "", 0, 0, 0, "5 a=b".getBytes()).bytes()));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().entry('x', "p", "", 0, 0, 0, new byte[0], 07777777777L, 0, 0).bytes()));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().pax(Map.of("size", "-1")).file("a", "").bytes()));
        assertEquals(Kind.DATA_LOSS, kind(new TarBytes().pax(Map.of("path", "p".repeat(5000))).file("a", "").bytes()));
    }

    @Test
    void randomBytesNeverDoAnythingElseThanFail() {
        Random random = new Random(7);
        byte[] good = new TarBytes().pax(Map.of("path", "some/name", "mtime", "1.5")).file("a", "content")
                .entry('L', "l", "", 0, 0, 0, "long".getBytes()).file("b", "more").bytes();
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = good.clone();
            for (int i = 0; i < 1 + round % 5; i++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            if (round % 2 == 0) {
                repairSums(bytes);
            }
            try {
                drain(bytes);
            } catch (RuntimeFault expected) {
                assertTrue(expected.kind() == Kind.DATA_LOSS || expected.kind() == Kind.UNSUPPORTED);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    // Without this nearly all damage would stop at the checksum.
    private static void repairSums(byte[] bytes) {
        for (int at = 0; at + 512 <= bytes.length; at += 512) {
            if (bytes[at + 257] != 'u') {
                continue;
            }
            int sum = 8 * ' ';
            for (int i = 0; i < 512; i++) {
                sum += i >= 148 && i < 156 ? 0 : bytes[at + i] & 0xff;
            }
            System.arraycopy(String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII), 0, bytes, at + 148, 8);
        }
    }

    private static Kind kind(byte[] bytes) {
        return assertThrows(RuntimeFault.class, () -> drain(bytes)).kind();
    }

    private static void drain(byte[] bytes) throws IOException {
        TarReader tar = reader(bytes);
        byte[] buffer = new byte[64];
        while (tar.next().isPresent()) {
            while (tar.read(buffer, buffer.length) >= 0) {
                continue;
            }
        }
    }
}
