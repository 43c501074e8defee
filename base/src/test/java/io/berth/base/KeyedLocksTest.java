package io.berth.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class KeyedLocksTest {

    private final KeyedLocks<String> locks = new KeyedLocks<>();

    @Test
    void aKeyIsHeldByOneThreadAtATimeAndOthersAreFree() throws Exception {
        AtomicBoolean sameKeyEntered = new AtomicBoolean();
        CountDownLatch otherKeyEntered = new CountDownLatch(1);
        Thread same;
        try (var held = locks.lock("a")) {
            same = Thread.ofVirtual().start(() -> {
                try (var again = locks.lock("a")) {
                    sameKeyEntered.set(true);
                }
            });
            Thread.ofVirtual().start(() -> {
                try (var other = locks.lock("b")) {
                    otherKeyEntered.countDown();
                }
            });
            assertTrue(otherKeyEntered.await(10, TimeUnit.SECONDS));
            assertFalse(sameKeyEntered.get());
        }
        same.join();
        assertTrue(sameKeyEntered.get());
    }

    @Test
    void aKeyThatNobodyUsesIsForgotten() {
        try (var held = locks.lock("a"); var again = locks.lock("a")) {
            assertEquals(1, locks.size());
        }
        assertEquals(0, locks.size());
    }
}
