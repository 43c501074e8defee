package io.berth.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WatchdogTest {

    @Test
    void itWatchesOnlyWhenTheServiceManagerAskedThisProcess() {
        assertEquals(Optional.of(Duration.ofSeconds(60)), Watchdog.limit("60000000", null, 5));
        assertEquals(Optional.of(Duration.ofSeconds(60)), Watchdog.limit("60000000", "5", 5));
        assertEquals(Optional.empty(), Watchdog.limit("60000000", "6", 5));
        assertEquals(Optional.empty(), Watchdog.limit(null, null, 5));
        assertEquals(Optional.empty(), Watchdog.limit("soon", null, 5));
    }
}
