package io.berth.server.tracing;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Optional;

/** Keeps what a client says of its own trace until the call is begun. Source: the W3C's Trace Context. Stateless. */
final class IncomingTrace implements ServerInterceptor {

    /**
     * What came with a call.
     *
     * @param service the full name of its gRPC service
     * @param parent the client's span, the root where it told of none
     */
    record Incoming(String service, io.opentelemetry.context.Context parent) {

        private static final Incoming NONE = new Incoming("", io.opentelemetry.context.Context.root());
    }

    private static final Context.Key<Incoming> KEY = Context.key("berth-incoming-trace");
    private static final int LONGEST_VALUE = 512;

    private static final TextMapGetter<Metadata> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Metadata headers) {
            return headers.keys();
        }

        @Override
        public String get(Metadata headers, String name) {
            String value = headers == null ? null : headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
            return value == null || value.length() > LONGEST_VALUE ? null : value;
        }
    };

    /** What came with the call that the present thread answers. */
    static Incoming current() {
        return Optional.ofNullable(KEY.get()).orElse(Incoming.NONE);
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        var parent = W3CTraceContextPropagator.getInstance().extract(io.opentelemetry.context.Context.root(), headers, HEADERS);
        String service = Optional.ofNullable(call.getMethodDescriptor().getServiceName()).orElse("");
        return Contexts.interceptCall(Context.current().withValue(KEY, new Incoming(service, parent)), call, headers, next);
    }
}
