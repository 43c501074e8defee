package io.berth.server.rpc;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Refuses what is wrong in any request, wherever it stands: an enum value that this version of the interface does not know (a
 * security profile or a namespace mode of the future must not silently become today's default), and a text with a zero byte,
 * which no path, name or argument of the kernel can hold. Stateless.
 */
public final class RequestCheck implements ServerInterceptor {

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean refused;

            @Override
            public void onMessage(Q request) {
                Optional<String> wrong = request instanceof Message message ? wrong(message, "") : Optional.empty();
                if (wrong.isPresent()) {
                    refused = true;
                    call.close(Status.INVALID_ARGUMENT.withDescription("read the request of "
                            + call.getMethodDescriptor().getBareMethodName() + ": " + wrong.get()), new Metadata());
                } else {
                    super.onMessage(request);
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    /** The first thing that is wrong below {@code message}, with its field's path. */
    static Optional<String> wrong(Message message, String path) {
        for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
            FieldDescriptor.JavaType type = field.getKey().getJavaType();
            if (type != FieldDescriptor.JavaType.ENUM && type != FieldDescriptor.JavaType.STRING
                    && type != FieldDescriptor.JavaType.MESSAGE) {
                continue;
            }
            String name = path + field.getKey().getName();
            List<?> values = field.getValue() instanceof List<?> list ? list : List.of(field.getValue());
            for (Object value : values) {
                Optional<String> found = switch (value) {
                    case EnumValueDescriptor number -> unknown(number, name);
                    case String text -> text.indexOf('\0') < 0 ? Optional.empty() : Optional.of(name + " has a zero byte in it");
                    default -> wrong((Message) value, name + ".");
                };
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> unknown(EnumValueDescriptor value, String name) {
        // A value that the file does not define has a descriptor made on the spot, which is not among the type's own.
        return value.getType().findValueByNumber(value.getNumber()) == null
                ? Optional.of(name + " has the value " + value.getNumber() + ", which this version of Berth does not know") : Optional.empty();
    }
}
