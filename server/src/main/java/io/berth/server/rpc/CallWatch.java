package io.berth.server.rpc;

import io.berth.base.CallScope;
import io.berth.base.Timeline;
import io.grpc.Status;
import java.util.Optional;

/** Told of every call: metrics, traces. Thread-safe; must be quick and must not fail. */
@FunctionalInterface
public interface CallWatch {

    /** A call under way, told of its steps and of its end. */
    interface Watched extends CallScope.Call {

        /** @param description the status's, empty for success */
        void ended(Status.Code code, String description, long nanos);
    }

    /** Watches nothing. */
    CallWatch NONE = (method, subject) -> new Watched() {
        @Override
        public void step(Timeline.Step step) {}

        @Override
        public Optional<String> traceId() {
            return Optional.empty();
        }

        @Override
        public void ended(Status.Code code, String description, long nanos) {}
    };

    /** A call begins on this thread. */
    Watched begin(String method, String subject);
}
