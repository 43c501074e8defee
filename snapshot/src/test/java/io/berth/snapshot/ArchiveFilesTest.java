package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Archives of files from outside. */
class ArchiveFilesTest {

    private static final UnpackLimits LIMITS = new UnpackLimits(5, 1 << 20, 4095, 64, 1 << 16, 600, 1 << 19,
            Duration.ofMinutes(1));

    private static Map<String, String> read(byte[] archive) {
        Map<String, String> found = new LinkedHashMap<>();
        ArchiveFiles.read(new ByteArrayInputStream(archive), LIMITS, (name, size, content) ->
                found.put(name, name.equals("skipped") ? "" : new String(content.readAllBytes(), StandardCharsets.UTF_8)));
        return found;
    }

    private static Kind refusal(byte[] archive) {
        return assertThrows(RuntimeFault.class, () -> read(archive)).kind();
    }

    @Test
    void filesAreReadAndDirectoriesPassedOver() {
        assertEquals(Map.of("a", "one", "skipped", "", "d/b", "two"), read(new TarBytes().file("a", "one")
                .directory("d/", 0755).file("skipped", "x".repeat(5000)).file("d/b", "two").bytes()));
    }

    @Test
    void whateverIsNoPlainFileIsRefused() {
        for (TarBytes hostile : List.of(new TarBytes().symlink("a", "/etc/passwd"), new TarBytes().hardLink("a", "b"),
                new TarBytes().device('3', "a", 1, 3), new TarBytes().device('4', "a", 8, 0),
                new TarBytes().entry('6', "a", "", 0600, 0, 0, new byte[0]))) {
            assertEquals(Kind.UNSUPPORTED, refusal(hostile.bytes()));
        }
    }

    @Test
    void bombsAndDamageAreTold() {
        TarBytes many = new TarBytes();
        for (int i = 0; i < 6; i++) {
            many.file("f" + i, "");
        }
        assertEquals(Kind.RESOURCE_EXHAUSTED, refusal(many.bytes()));
        byte[] large = new TarBytes().file("a", "x".repeat(2 << 20)).bytes();
        assertEquals(Kind.RESOURCE_EXHAUSTED, refusal(large));
        byte[] whole = new TarBytes().file("a", "x".repeat(5000)).bytes();
        assertEquals(Kind.DATA_LOSS, refusal(Arrays.copyOf(whole, 2000)));
        assertTrue(read(new byte[1024]).isEmpty());
    }
}
