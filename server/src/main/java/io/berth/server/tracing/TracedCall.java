package io.berth.server.tracing;

import io.berth.base.CallScope;
import io.berth.base.Timeline;
import io.berth.base.UnixTime;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** One call and its steps as spans; the steps are the call's children. Thread-safe. */
public final class TracedCall implements CallScope.Call {

    /** What a server counts as its own failure; the others are the client's. Source: OpenTelemetry's conventions for gRPC. */
    private static final Set<Status.Code> OWN_FAILURES = Set.of(Status.Code.UNKNOWN, Status.Code.DEADLINE_EXCEEDED,
            Status.Code.UNIMPLEMENTED, Status.Code.INTERNAL, Status.Code.UNAVAILABLE, Status.Code.DATA_LOSS);

    private final Tracer tracer;
    private final Span span;

    TracedCall(Tracer tracer, Span span) {
        this.tracer = tracer;
        this.span = span;
    }

    @Override
    public void step(Timeline.Step step) {
        if (!span.isRecording()) {
            return;
        }
        long from = UnixTime.nanos(step.startedAt());
        Span child = tracer.spanBuilder(step.operation() + "/" + step.step()).setParent(Context.root().with(span))
                .setSpanKind(SpanKind.INTERNAL).setStartTimestamp(from, TimeUnit.NANOSECONDS)
                .setAttribute("berth.operation", step.operation()).setAttribute("berth.step", step.step())
                .setAttribute("berth.subject", step.subject()).startSpan();
        if (!step.error().isEmpty()) {
            child.setStatus(StatusCode.ERROR, step.error());
        }
        child.end(from + step.nanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public Optional<String> traceId() {
        return span.getSpanContext().isValid() ? Optional.of(span.getSpanContext().getTraceId()) : Optional.empty();
    }

    /** Ends the call's span. Steps that come later, of work that outlives its call, are still told of. */
    public void ended(Status.Code code, String description) {
        span.setAttribute("rpc.grpc.status_code", (long) code.value());
        if (OWN_FAILURES.contains(code)) {
            span.setStatus(StatusCode.ERROR, description);
        }
        span.end();
    }
}
