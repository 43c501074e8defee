package io.berth.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterfaceCountersTest {

    private static final String TABLE = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:   840      10    0    0    0     0          0         0      840      10    0    0    0     0       0          0
              eth0: 1234567    89    1    2    0     0          0         0  7654321    98    3    4    0     0       0          0
            """;

    @Test
    void countersOfTheInterfacesWithoutTheLoopbackAreRead() {
        assertEquals(List.of(new InterfaceCounters("eth0", 1234567, 89, 1, 2, 7654321, 98, 3, 4)),
                InterfaceCounters.parse(TABLE));
    }

    @Test
    void linesThatAreNoInterfaceAreLeftOut() {
        assertEquals(List.of(), InterfaceCounters.parse("a\nb\nsomething else\n: 1 2\neth0: 1 2 3\n"));
        assertEquals(List.of(), InterfaceCounters.parse(""));
    }

    @Test
    void aProcessThatHasEndedSeesNothing() {
        assertTrue(InterfaceCounters.seenBy((int) ProcessHandle.current().pid()).isPresent());
        assertTrue(InterfaceCounters.seenBy(Integer.MAX_VALUE).isEmpty());
    }

    @Test
    void theRoomOfAFileSystemIsKnown() {
        FilesystemSpace space = FilesystemSpace.of(Path.of("/tmp"));
        assertTrue(space.totalBytes() >= space.availableBytes() && space.totalBytes() > 0, space::toString);
        assertTrue(space.inodes() >= space.freeInodes(), space::toString);
    }

    @Test
    void openFilesOfThisProcessAreCounted() {
        int self = (int) ProcessHandle.current().pid();
        assertTrue(OpenFiles.of(List.of(self, Integer.MAX_VALUE)).descriptors() > 2);
        assertTrue(OpenFiles.softLimit(Integer.MAX_VALUE).isEmpty());
    }
}
