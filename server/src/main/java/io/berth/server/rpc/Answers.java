package io.berth.server.rpc;

import io.berth.base.CallScope;
import io.berth.base.RuntimeFault;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers a call, and is the one place where a fault becomes a gRPC status and a line in the log. */
public final class Answers {

    private static final Logger LOG = LoggerFactory.getLogger("io.berth.cri");
    private static final long SLOW_NANOS = 2_000_000_000L;

    private final CallWatch watch;

    /** @param watch told of every call */
    public Answers(CallWatch watch) {
        this.watch = watch;
    }

    /**
     * Runs {@code work} on the calling (virtual) thread and sends what it returns. When the client goes away, the thread is
     * interrupted; work that must not be torn goes on elsewhere ({@link io.berth.base.JoinedOperations}).
     *
     * @param subject what the call is about, for the log
     */
    <T> void send(String method, String subject, StreamObserver<T> observer, Supplier<T> work) {
        long from = System.nanoTime();
        Status status = Status.OK;
        Optional<CallEvent> event = event();
        CallWatch.Watched call = watch.begin(method, subject);
        Thread worker = Thread.currentThread();
        Context.CancellationListener interrupt = context -> worker.interrupt();
        Context.current().addListener(interrupt, Runnable::run);
        try {
            T answer = CallScope.within(call, work);
            observer.onNext(answer);
            observer.onCompleted();
            LOG.atDebug().addKeyValue("rpc", method).addKeyValue("subject", subject)
                    .addKeyValue("ms", (System.nanoTime() - from) / 1_000_000).log("done");
        } catch (RuntimeException failure) {
            status = status(failure);
            log(call, method, subject, status, failure);
            observer.onError(status.asRuntimeException());
        } finally {
            Context.current().removeListener(interrupt);
            long took = System.nanoTime() - from;
            call.ended(status.getCode(), words(status), took);
            Status.Code code = status.getCode();
            event.ifPresent(recorded -> recorded.ended(method, subject, code, call));
            if (took > SLOW_NANOS && status.isOk()) {
                LOG.atInfo().addKeyValue("rpc", method).addKeyValue("subject", subject)
                        .addKeyValue("ms", took / 1_000_000).log("slow");
            }
        }
    }

    /**
     * Runs {@code work} on a virtual thread of its own, which may wait for the client, and ends the stream when it returns.
     */
    <T> void stream(String method, StreamObserver<T> observer, Consumer<AnswerStream<T>> work) {
        AnswerStream<T> stream = AnswerStream.of(observer);
        Thread.startVirtualThread(Context.current().wrap(() -> run(method, stream, work)));
    }

    private static Optional<CallEvent> event() {
        return FlightRecorder.isInitialized() ? Optional.of(CallEvent.begun()) : Optional.empty();
    }

    private <T> void run(String method, AnswerStream<T> stream, Consumer<AnswerStream<T>> work) {
        long from = System.nanoTime();
        Status status = Status.OK;
        Optional<CallEvent> event = event();
        CallWatch.Watched call = watch.begin(method, "");
        try {
            CallScope.within(call, () -> {
                work.accept(stream);
                return stream;
            }).complete();
        } catch (RuntimeException failure) {
            status = status(failure);
            if (status.getCode() != Status.Code.CANCELLED) {
                log(call, method, "", status, failure);
            }
            stream.fail(status.asRuntimeException());
        } finally {
            call.ended(status.getCode(), words(status), System.nanoTime() - from);
            Status.Code code = status.getCode();
            event.ifPresent(recorded -> recorded.ended(method, "", code, call));
        }
    }

    private static String words(Status status) {
        return Optional.ofNullable(status.getDescription()).orElse("");
    }

    private static void log(CallWatch.Watched call, String method, String subject, Status status, RuntimeException failure) {
        // What a client asked wrongly is its business; what failed here is ours, with the trace.
        boolean ours = status.getCode() == Status.Code.INTERNAL || status.getCode() == Status.Code.UNKNOWN;
        var line = (ours ? LOG.atError().setCause(failure) : LOG.atInfo()).addKeyValue("rpc", method)
                .addKeyValue("subject", subject).addKeyValue("status", status.getCode());
        call.traceId().ifPresent(id -> line.addKeyValue("trace", id));
        line.log(status.getDescription());
    }

    /** The status for a failure. */
    public static Status status(RuntimeException failure) {
        if (!(failure instanceof RuntimeFault fault)) {
            return Status.INTERNAL.withDescription(StatusWords.of("internal error: " + failure)).withCause(failure);
        }
        Status status = switch (fault.kind()) {
            case INVALID_ARGUMENT -> Status.INVALID_ARGUMENT;
            case NOT_FOUND -> Status.NOT_FOUND;
            case ALREADY_EXISTS -> Status.ALREADY_EXISTS;
            case FAILED_PRECONDITION -> Status.FAILED_PRECONDITION;
            case PERMISSION_DENIED -> Status.PERMISSION_DENIED;
            case UNAUTHENTICATED -> Status.UNAUTHENTICATED;
            case RESOURCE_EXHAUSTED -> Status.RESOURCE_EXHAUSTED;
            case ABORTED -> Status.ABORTED;
            case CANCELLED -> Status.CANCELLED;
            case DEADLINE_EXCEEDED -> Status.DEADLINE_EXCEEDED;
            case UNAVAILABLE -> Status.UNAVAILABLE;
            case UNSUPPORTED -> Status.UNIMPLEMENTED;
            case DATA_LOSS -> Status.DATA_LOSS;
            case INTERNAL -> Status.INTERNAL;
        };
        return status.withDescription(StatusWords.of(fault.getMessage())).withCause(fault);
    }
}
