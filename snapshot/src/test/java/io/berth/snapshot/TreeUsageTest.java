package io.berth.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeUsageTest {

    @TempDir
    Path top;

    @Test
    void aFileCountsOnceHoweverManyNamesItHas() throws Exception {
        Path below = Files.createDirectories(top.resolve("a/b"));
        Files.write(top.resolve("one"), new byte[10_000]);
        Files.write(below.resolve("other"), new byte[5_000]);
        Usage alone = TreeUsage.of(top);
        assertEquals(5, alone.inodes());
        Files.createLink(below.resolve("one"), top.resolve("one"));
        assertEquals(alone, TreeUsage.of(top));
        for (String name : new String[] {"x", "y", "z"}) {
            Files.createLink(top.resolve("a").resolve(name), below.resolve("other"));
        }
        Files.createLink(top.resolve("two"), top.resolve("one"));
        assertEquals(alone, TreeUsage.of(top));
        Files.createSymbolicLink(top.resolve("s"), Path.of("one"));
        Files.createLink(top.resolve("t"), top.resolve("s"));
        assertEquals(6, TreeUsage.of(top).inodes());
    }
}
