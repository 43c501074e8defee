package io.berth.streaming;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;

/** A server on loopback with the fake target; at the end nothing may be left running. */
abstract class StreamingFixture {

    final FakeTarget target = new FakeTarget();
    final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    StreamingServer server = new StreamingServer(StreamingSettings.defaults(), target, executor);

    final void settings(StreamingSettings settings) {
        server.close();
        server = new StreamingServer(settings, target, executor);
    }

    @AfterEach
    void nothingIsLeft() {
        server.close();
        eventually("calls end with the server", () -> target.running.get() == 0);
        executor.shutdown();
        executor.close();
    }

    static void eventually(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                fail("did not happen: " + what);
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException interrupted) {
                fail(interrupted);
            }
        }
    }

    /** Sends one mebibyte. */
    interface Sender {
        void send(byte[] mebibyte) throws IOException;
    }

    /** Sends until it is held back, and fails when that does not happen within what the kernel's buffers can take. */
    static void assertHeldBack(Sender sender) throws InterruptedException {
        AtomicInteger sent = new AtomicInteger();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (sent.get() < 128) {
                    sender.send(new byte[1024 * 1024 - 1]);
                    sent.incrementAndGet();
                }
            } catch (IOException expected) {
                // The socket is closed under the write.
            }
        });
        int before = -1;
        while (sent.get() != before) {
            before = sent.get();
            Thread.sleep(500);
        }
        assertTrue(before < 48, "sent " + before);
    }

    static void assertStatus(String line, int code) {
        assertEquals(code, Integer.parseInt(line.split(" ")[1]), line);
    }

    static ExecRequest exec(String program) {
        return new ExecRequest("c1", List.of(program), false, true, true, true);
    }

    static ExecRequest terminal(String program) {
        return new ExecRequest("c1", List.of(program), true, true, true, false);
    }
}
