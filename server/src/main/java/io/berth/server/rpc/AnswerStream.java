package io.berth.server.rpc;

import com.google.protobuf.MessageLite;
import io.berth.base.RuntimeFault;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The answers of one streaming call, sent at the pace at which the client takes them: what a slow client has not taken waits
 * where it comes from, not in the memory of the transport. Made on the thread of the call; one other thread sends.
 *
 * @param <T> the answers
 */
final class AnswerStream<T> {

    /** Few enough that an answer is put together in a moment. */
    static final int BATCH_ITEMS = 500;
    /** Clients take messages of at least 4 MiB; one item may be large, for annotations may be. */
    static final int BATCH_BYTES = 1 << 20;
    /** A wake-up that is missed costs this much. */
    private static final long LONGEST_SLEEP_NANOS = 1_000_000_000L;

    private final ServerCallStreamObserver<T> observer;
    private volatile Thread sender;
    private volatile Runnable whenCancelled = () -> {};

    private AnswerStream(ServerCallStreamObserver<T> observer) {
        this.observer = observer;
    }

    /** The stream of a call; to be made before the call's method returns, when handlers can no longer be set. */
    static <T> AnswerStream<T> of(StreamObserver<T> observer) {
        AnswerStream<T> stream = new AnswerStream<>((ServerCallStreamObserver<T>) observer);
        stream.observer.setOnReadyHandler(stream::wake);
        stream.observer.setOnCancelHandler(() -> {
            stream.whenCancelled.run();
            stream.wake();
        });
        return stream;
    }

    private void wake() {
        LockSupport.unpark(sender);
    }

    /** Runs {@code action} when the client goes away, or now when it has gone. Once a stream. */
    void onCancel(Runnable action) {
        whenCancelled = action;
        if (observer.isCancelled()) {
            action.run();
        }
    }

    /**
     * Sends one answer once the client is ready for it.
     *
     * @throws RuntimeFault CANCELLED when the client has gone
     */
    void send(T answer) {
        sender = Thread.currentThread();
        while (!observer.isReady()) {
            refuseIfGone();
            LockSupport.parkNanos(this, LONGEST_SLEEP_NANOS);
        }
        refuseIfGone();
        observer.onNext(answer);
    }

    /**
     * Lets some time pass before there is more to send.
     *
     * @throws RuntimeFault CANCELLED when the client has gone
     */
    void pause(long millis) {
        sender = Thread.currentThread();
        LockSupport.parkNanos(this, millis * 1_000_000);
        refuseIfGone();
    }

    private void refuseIfGone() {
        if (observer.isCancelled() || Thread.currentThread().isInterrupted()) {
            throw new RuntimeFault(RuntimeFault.Kind.CANCELLED, "send answers: the client has gone");
        }
    }

    /**
     * Sends {@code items} in batches of at most {@link #BATCH_ITEMS} and, but for single larger ones, {@link #BATCH_BYTES}.
     * An item is taken from the stream only when its batch is put together. No items, no answer.
     */
    <M extends MessageLite> void sendInBatches(Stream<M> items, Function<List<M>, T> answer) {
        List<M> batch = new ArrayList<>();
        long bytes = 0;
        for (Iterator<M> each = items.iterator(); each.hasNext(); ) {
            M item = each.next();
            if (!batch.isEmpty() && (batch.size() == BATCH_ITEMS || bytes + item.getSerializedSize() > BATCH_BYTES)) {
                send(answer.apply(batch));
                batch = new ArrayList<>();
                bytes = 0;
            }
            batch.add(item);
            bytes += item.getSerializedSize();
        }
        if (!batch.isEmpty()) {
            send(answer.apply(batch));
        }
    }

    void complete() {
        observer.onCompleted();
    }

    void fail(Throwable status) {
        if (!observer.isCancelled()) {
            observer.onError(status);
        }
    }
}
