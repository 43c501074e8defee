package io.berth.server.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.Container;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AnswerStreamTest {

    /** A client whose readiness the test decides. */
    private static final class FakeCall extends ServerCallStreamObserver<List<Container>> {
        final List<List<Container>> sent = new CopyOnWriteArrayList<>();
        volatile boolean ready = true;
        volatile boolean cancelled;
        volatile Runnable onReady = () -> {};
        volatile Runnable onCancel = () -> {};

        void becomeReady() {
            ready = true;
            onReady.run();
        }

        void cancel() {
            cancelled = true;
            onCancel.run();
        }

        @Override
        public void onNext(List<Container> answer) {
            assertTrue(ready, "sent to a client that was not ready");
            sent.add(answer);
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }

        @Override
        public boolean isReady() {
            return ready && !cancelled;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {
            onCancel = handler;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {
            onReady = handler;
        }

        @Override
        public void setCompression(String compression) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }

    private final FakeCall call = new FakeCall();
    private final AnswerStream<List<Container>> stream = AnswerStream.of(call);

    private static Stream<Container> containers(int count, String image) {
        return IntStream.range(0, count).mapToObj(i -> Container.newBuilder().setId("c" + i).setImageRef(image).build());
    }

    @Test
    void everyItemIsSentOnceInBatches() {
        stream.sendInBatches(containers(1234, ""), List::copyOf);
        assertEquals(List.of(500, 500, 234), call.sent.stream().map(List::size).toList());
        assertEquals(IntStream.range(0, 1234).mapToObj(i -> "c" + i).toList(),
                call.sent.stream().flatMap(List::stream).map(Container::getId).toList());
    }

    @Test
    void fullBatchesAreNotFollowedByAnEmptyOne() {
        stream.sendInBatches(containers(1000, ""), List::copyOf);
        assertEquals(List.of(500, 500), call.sent.stream().map(List::size).toList());
    }

    @Test
    void anEmptyListIsNoAnswer() {
        stream.sendInBatches(Stream.<Container>of(), List::copyOf);
        assertEquals(List.of(), call.sent);
    }

    @Test
    void largeItemsMakeSmallBatches() {
        stream.sendInBatches(containers(10, "x".repeat(300_000)), List::copyOf);
        assertEquals(List.of(3, 3, 3, 1), call.sent.stream().map(List::size).toList());
        stream.sendInBatches(containers(2, "x".repeat(3_000_000)), List::copyOf);
        assertEquals(6, call.sent.size());
    }

    @Test
    void nothingIsTakenFromTheListWhileTheClientIsNotReady() throws Exception {
        call.ready = false;
        AtomicInteger taken = new AtomicInteger();
        CompletableFuture<Void> done = CompletableFuture.runAsync(() -> stream.sendInBatches(
                containers(2000, "").peek(each -> taken.incrementAndGet()), List::copyOf));
        Thread.sleep(50);
        assertEquals(0, call.sent.size());
        assertTrue(taken.get() <= AnswerStream.BATCH_ITEMS + 1, () -> taken + " taken");
        call.becomeReady();
        done.get();
        assertEquals(4, call.sent.size());
    }

    @Test
    void aClientThatGoesAwayEndsTheWaiting() {
        call.ready = false;
        AtomicInteger told = new AtomicInteger();
        stream.onCancel(told::incrementAndGet);
        CompletableFuture<RuntimeFault> failure = CompletableFuture.supplyAsync(() -> assertThrows(RuntimeFault.class,
                () -> stream.sendInBatches(containers(10, ""), List::copyOf)));
        call.cancel();
        assertEquals(RuntimeFault.Kind.CANCELLED, failure.join().kind());
        assertEquals(1, told.get());
        assertEquals(List.of(), call.sent);
    }

    @Test
    void whoAsksAfterTheClientHasGoneIsToldAtOnce() {
        call.cancel();
        AtomicInteger told = new AtomicInteger();
        stream.onCancel(told::incrementAndGet);
        assertEquals(1, told.get());
    }
}
