package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PauseProgramIT {

    @TempDir
    Path directory;

    @Test
    void itHoldsAPidNamespaceWithoutPrivilegesAndReapsOrphans() throws Exception {
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
