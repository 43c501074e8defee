package io.berth.server.extension;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RandomId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeardEndsTest {

    private final String one = RandomId.next();
    private final String two = RandomId.next();

    @TempDir
    private Path root;

    private HeardEnds open(String... ended) {
        return HeardEnds.open(root.resolve("notes/sample.ends"), List.of(ended));
    }

    @Test
    void anExtensionThatIsHereForTheFirstTimeHearsNothingOfWhatHasEndedBefore() {
        HeardEnds heard = open(one);
        assertTrue(heard.has(one));
        assertFalse(heard.has(two));
    }

    @Test
    void whatEndedSinceItsFirstTimeIsStillToBeToldUntilItIsNoted() {
        open(one);
        HeardEnds heard = open(one, two);
        assertFalse(heard.has(two));
        heard.add(two);
        heard.add(two);
        assertTrue(open(one, two).has(two));
    }

    @Test
    void nothingIsKeptOfWhatIsNoLongerThere() throws IOException {
        HeardEnds heard = open(one, two);
        heard.remove(one);
        heard.retain(Set.of());
        assertFalse(heard.has(one) || heard.has(two));
        try (var files = Files.walk(root.resolve("notes"))) {
            assertEquals(List.of(), files.filter(Files::isRegularFile).toList());
        }
    }
}
