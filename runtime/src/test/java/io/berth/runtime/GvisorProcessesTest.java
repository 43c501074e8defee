package io.berth.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class GvisorProcessesTest {

    private static final String TABLE = """
            UID       PID       PPID      C         TTY       STIME     TIME      CMD
            0         1         0         0         ?         11:40     10ms      sleep 1000
            0         7         0         0         pts/0     11:41     0s        sh -c 9 8 7
            1000      8         7         1         ?         11:41     0s        sleep
            0         9         1         0         ?         11:41     0s        other
            0         12        8         0         ?         11:41     0s        deep
            """;

    @Test
    void aProcessAndItsDescendantsAreFoundInTheTable() {
        assertEquals(List.of(7, 8, 12), GvisorProcesses.tree(TABLE, 7));
        assertEquals(List.of(1, 9), GvisorProcesses.tree(TABLE, 1));
        assertEquals(List.of(12), GvisorProcesses.tree(TABLE, 12));
    }

    @Test
    void oneThatIsNotInTheTableIsItself() {
        assertEquals(List.of(5), GvisorProcesses.tree("", 5));
        assertEquals(List.of(5, 6), GvisorProcesses.tree("UID PID PPID C\n0 5 5 0\n0 6 5 0\n0 5 6 0\n", 5));
        assertEquals(List.of(5), GvisorProcesses.tree("nonsense\na b c d\n1 2\n", 5));
    }
}
