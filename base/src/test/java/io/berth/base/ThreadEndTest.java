package io.berth.base;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ThreadEndTest {

    @Test
    void aThreadThatEndsByItselfIsWaitedFor() {
        AtomicBoolean done = new AtomicBoolean();
        assertFalse(ThreadEnd.await(Thread.ofPlatform().start(() -> done.set(true))));
        assertTrue(done.get());
    }

    @Test
    void anInterruptionIsPassedOnAndTheEndIsWaitedForAllTheSame() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        AtomicBoolean tidied = new AtomicBoolean();
        Thread worker = Thread.ofPlatform().start(() -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                tidied.set(true);
            }
        });
        AtomicBoolean told = new AtomicBoolean();
        AtomicBoolean stays = new AtomicBoolean();
        Thread caller = Thread.ofPlatform().start(() -> {
            told.set(ThreadEnd.await(worker));
            stays.set(Thread.currentThread().isInterrupted());
        });
        caller.interrupt();
        caller.join();
        assertTrue(tidied.get() && told.get() && stays.get() && !worker.isAlive());
    }
}
