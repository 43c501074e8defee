package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PauseProgramIT {

    @TempDir
    Path directory;

    @Test
    void itHoldsAPidNamespaceWithoutPrivilegesAndReapsOrphans() throws Exception {
        holdsAndReaps();
    }

    /** As /run is on many nodes. */
    @Test
    void itRunsAlsoWhereTheFileSystemForbidsPrograms() throws Exception {
        Path root = Files.createDirectory(directory.resolve("root"));
        Mounts.tmpfs(root, 1 << 20, 0755, 0, 0, Mounts.MS_NOEXEC);
        try {
            holdsAndReaps();
            Path pins = Files.createDirectory(directory.resolve("user"));
            var first = UserNamespaceSet.create(Set.of(Namespace.PID, Namespace.IPC),
                    List.of(new UserNamespaceSet.IdRange(0, 200_000, 65_536)),
                    List.of(new UserNamespaceSet.IdRange(0, 200_000, 65_536)), root, pins);
            Processes.signal(first.getAsInt(), Processes.startTicks(first.getAsInt()).orElseThrow(), Signals.KILL);
            Processes.reap(first.getAsInt());
            for (Namespace kind : List.of(Namespace.PID, Namespace.IPC, Namespace.USER)) {
                assertTrue(Namespaces.isPinned(pins.resolve(kind.procName())), kind + " is not pinned");
                Namespaces.unpin(pins.resolve(kind.procName()));
            }
        } finally {
            Mounts.unmount(root);
        }
    }

    private void holdsAndReaps() throws Exception {
        Path pin = directory.resolve("ns/pid");
        int pid = PauseProgram.start(directory.resolve("root"), pin);
        long start = Processes.startTicks(pid).orElseThrow();
        try {
            assertNotEquals(Namespaces.identity(Path.of("/proc/self/ns/pid")), Namespaces.identity(pin));
            await(() -> Files.readString(Path.of("/proc/" + pid + "/status")).contains("Uid:\t65534\t65534\t65534\t65534"));
            assertTrue(Files.readString(Path.of("/proc/" + pid + "/status")).contains("CapEff:\t0000000000000000"));
            // The inner shell's sleep becomes an orphan of process 1, which must not keep it as a zombie.
            Command.Output output = Command.of(List.of("nsenter", "--pid=" + pin, "sh", "-c", "(sleep 0.1 &) ; sleep 0.4; exit 0"),
                    Duration.ofSeconds(20)).run();
            assertEquals(0, output.exitCode(), output.stderrText());
            assertEquals("", Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children")).strip());
        } finally {
            Processes.signal(pid, start, Signals.KILL);
            Processes.reap(pid);
            Namespaces.unpin(pin);
        }
        assertFalse(Files.exists(Path.of("/proc/" + pid)));
    }

    private interface Check {
        boolean holds() throws Exception;
    }

    private static void await(Check check) throws Exception {
        for (int i = 0; i < 200 && !check.holds(); i++) {
            Thread.sleep(10);
        }
        assertTrue(check.holds());
    }
}
