package io.berth.server;

import io.berth.base.Timeline;
import io.berth.server.metrics.Metrics;
import io.berth.server.rpc.CallWatch;
import io.berth.server.tracing.TracedCall;
import io.berth.server.tracing.Tracing;
import io.grpc.Status;
import java.util.Optional;

/** Brings calls and their steps to metrics and traces, where these are wanted. Thread-safe. */
record DaemonCalls(Optional<Metrics> metrics, Optional<Tracing> tracing) implements CallWatch {

    @Override
    public Watched begin(String method, String subject) {
        return new Call(method, metrics, tracing.map(each -> each.begin(method, subject)));
    }

    private record Call(String method, Optional<Metrics> metrics, Optional<TracedCall> traced) implements Watched {

        @Override
        public void step(Timeline.Step step) {
            traced.ifPresent(each -> each.step(step));
            // Those with a subject come from the timeline itself, also where no call is behind them.
            if (step.subject().isEmpty()) {
                metrics.ifPresent(each -> each.step(step));
            }
        }

        @Override
        public Optional<String> traceId() {
            return traced.flatMap(TracedCall::traceId);
        }

        @Override
        public void ended(Status.Code code, String description, long nanos) {
            traced.ifPresent(each -> each.ended(code, description));
            metrics.ifPresent(each -> each.call(method, code.name(), nanos));
        }
    }
}
