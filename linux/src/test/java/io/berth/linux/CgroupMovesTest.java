package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written where, on files; that the group of a process stays what it is, on the kernel's. */
class CgroupMovesTest {

    @TempDir
    Path root;

    private Path processes(String group) throws IOException {
        Path file = root.resolve(group).resolve("cgroup.procs");
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "");
    }

    private static void awaitText(Path file, String text) throws Exception {
        for (int i = 0; i < 500 && !Files.readString(file).equals(text); i++) {
            Thread.sleep(10);
        }
        assertEquals(text, Files.readString(file));
    }

    @Test
    void theProcessIsMovedToItsOwnGroupOfTheFirstHierarchyThatIsThere() throws Exception {
        Path own = processes("pids/system.slice/berth.service");
        Path other = processes("unified/system.slice/berth.service");

        Cgroups.at(Map.of("pids", root.resolve("pids")), Optional.of(root.resolve("unified")), List.of("7:hugetlb:/",
                "5:pids:/system.slice/berth.service", "0::/system.slice/berth.service")).expectMove();

        awaitText(own, "0");
        assertEquals("", Files.readString(other));
    }

    @Test
    void theUnifiedHierarchyServesAsWell() throws Exception {
        Path own = processes("unified");

        Cgroups.at(Map.of(), Optional.of(root.resolve("unified")), List.of("0::/")).expectMove();

        awaitText(own, "0");
    }

    @Test
    void nothingIsMadeWhereTheGroupIsNotSeen() {
        Cgroups.at(Map.of(), Optional.of(root), List.of("0::/../elsewhere", "nonsense")).expectMove();

        assertFalse(Files.exists(root.resolve("cgroup.procs")));
    }

    @Test
    void thisProcessStaysWhereItIs() throws Exception {
        String before = Files.readString(Path.of("/proc/self/cgroup"));

        Cgroups.detect().expectMove();
        Thread.sleep(200);

        assertEquals(before, Files.readString(Path.of("/proc/self/cgroup")));
    }
}
