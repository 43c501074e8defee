package io.berth.pod.container;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.berth.cri.v1.ContainerConfig;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.linux.Cgroups;
import io.berth.pod.record.Container;
import io.berth.pod.record.Inventory;
import io.berth.store.FileRecordStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExitsTest {

    private static final String ID = "a".repeat(64);
    private static final long STARTED = 5_000;

    @TempDir
    private Path directory;

    private Inventory inventory;
    private Exits exits;
    private final List<Container> told = new ArrayList<>();

    @BeforeEach
    void open() {
        inventory = new Inventory(new FileRecordStore(directory.resolve("records")));
        exits = new Exits(directory.resolve("exits"), directory.resolve("bundles"), inventory, Cgroups.detect());
        exits.onExit(told::add);
    }

    @AfterEach
    void close() {
        exits.close();
    }

    private void add(Container.Phase phase, long startedAtNanos) {
        inventory.add(new Container(ID, "b".repeat(64), ContainerConfig.getDefaultInstance(), "image", "image", "runc",
                "/berth-none/" + ID, Optional.empty(), 15, Container.User.ROOT, List.of(),
                LinuxContainerResources.getDefaultInstance(), 1, phase, Optional.empty(), startedAtNanos, Container.Exit.NONE,
                Optional.empty()));
    }

    @Test
    void theReasonOfAFailedStartStaysAlsoWhenTheMonitorToldOfTheEndFirst() {
        add(Container.Phase.CREATED, 0);
        exits.record(ID, 137, 10, "");
        exits.recordFailedStart(ID, "no such program");
        Container.Exit exit = inventory.container(ID).exit();
        assertEquals(128, exit.code());
        assertEquals("no such program", exit.message());
        assertEquals(1, told.size(), "ends that were told of");
    }

    @Test
    void aSecondReportOfAnEndChangesNothing() {
        add(Container.Phase.RUNNING, STARTED);
        exits.record(ID, 3, STARTED + 1, "");
        exits.record(ID, 255, STARTED + 2, "lost");
        assertEquals(3, inventory.container(ID).exit().code());
        assertEquals(1, told.size(), "ends that were told of");
    }

    @Test
    void nothingEndsBeforeItStartedWhenTheClockWentBack() {
        add(Container.Phase.RUNNING, STARTED);
        exits.record(ID, 0, STARTED - 1_000, "");
        assertEquals(STARTED, inventory.container(ID).exit().atNanos());
    }
}
