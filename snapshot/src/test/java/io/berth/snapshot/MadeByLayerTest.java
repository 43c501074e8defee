package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.base.RuntimeFault.Kind;
import io.berth.linux.Inodes;
import org.junit.jupiter.api.Test;

class MadeByLayerTest {

    @Test
    void namesOfOneDirectoryAreNotThoseOfAnother() {
        try (MadeByLayer made = new MadeByLayer(100_000)) {
            for (int i = 0; i < 20_000; i++) {
                made.add(i % 7, Inodes.name("f" + i));
            }
            for (int i = 0; i < 20_000; i++) {
                assertTrue(made.has(i % 7, Inodes.name("f" + i)));
                assertFalse(made.has((i + 1) % 7, Inodes.name("f" + i)));
                assertFalse(made.has(i % 7, Inodes.name("g" + i)));
            }
            assertFalse(made.has(3, Inodes.name("f")));
        }
    }

    @Test
    void allThatIsInANewDirectoryIsTheLayersAndADirectoryWithAFileOfItIsToo() {
        try (MadeByLayer made = new MadeByLayer(100)) {
            made.addNew(1);
            made.addDirectory(1);
            made.addDirectory(2);
            made.add(3, Inodes.name("f"));
            assertTrue(made.isNew(1) && made.hasDirectory(1) && made.has(1, Inodes.name("any")));
            assertTrue(made.hasDirectory(2) && !made.isNew(2) && !made.has(2, Inodes.name("any")));
            assertTrue(made.hasDirectory(3) && !made.isNew(3));
            assertFalse(made.hasDirectory(4));
        }
    }

    @Test
    void whatIsMadeTwiceOrInNewDirectoriesTakesNoPlaceAndTheRestEndsAtTheLimit() {
        try (MadeByLayer made = new MadeByLayer(3)) {
            made.addNew(1);
            for (int i = 0; i < 100; i++) {
                made.add(1, Inodes.name("f" + i));
                made.add(2, Inodes.name("f"));
            }
            RuntimeFault fault = assertThrows(RuntimeFault.class, () -> made.add(2, Inodes.name("g")));
            assertEquals(Kind.RESOURCE_EXHAUSTED, fault.kind());
        }
    }
}
