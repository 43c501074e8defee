package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.linux.Inodes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpilledRecordsTest {

    @TempDir
    Path directory;

    @Test
    void recordsComeBackInTheirOrderWhateverTheirSizeAndNumber() throws Exception {
        Random chance = new Random(1);
        List<String> wanted = new ArrayList<>();
        try (SpilledRecords records = new SpilledRecords(directory)) {
            assertTrue(records.isEmpty());
            for (int total : new int[] {0, 1, 100, 5000, 20_000}) {
                while (wanted.size() < total) {
                    String record = wanted.size() + "x".repeat(chance.nextInt(wanted.size() % 10 == 0 ? 4200 : 60));
                    wanted.add(record);
                    records.add(Inodes.name(record));
                }
                // More can be added after they were read.
                List<String> found = new ArrayList<>();
                records.forEach(record -> found.add(new String(record, StandardCharsets.UTF_8)));
                assertEquals(wanted, found);
                assertTrue(records.heldBytes() <= SpilledRecords.HELD_LIMIT);
            }
            assertFalse(records.isEmpty());
            try (var files = Files.list(directory)) {
                assertEquals(0, files.count());
            }
        }
    }

    @Test
    void aFewTakeLittle() {
        try (SpilledRecords records = new SpilledRecords(directory.resolve("not there"))) {
            records.add(new byte[0]);
            records.add(new byte[300]);
            List<Integer> sizes = new ArrayList<>();
            records.forEach(record -> sizes.add(record.length));
            assertEquals(List.of(0, 300), sizes);
            assertTrue(records.heldBytes() < 1024);
        }
    }
}
