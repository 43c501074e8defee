package io.berth.it.conformance;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import io.berth.cri.v1.CriProto;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A call of the interface that has one answer, by its description: for tests that go through all of them. */
record Unary(MethodDescriptor method) {

    /** What came of a call. */
    record Outcome(Status status, Optional<Message> answer) {}

    static List<Unary> all() {
        return CriProto.getDescriptor().getServices().stream().flatMap(service -> service.getMethods().stream())
                .filter(method -> !method.isServerStreaming()).map(Unary::new).toList();
    }

    String name() {
        return method.getName();
    }

    Message.Builder newRequest() {
        return DynamicMessage.newBuilder(method.getInputType());
    }

    /** The request's field of that name; null when there is none. */
    FieldDescriptor field(String name) {
        return method.getInputType().findFieldByName(name);
    }

    Status.Code invoke(Channel channel, Message request) {
        return call(channel, request, 60).status().getCode();
    }

    Outcome call(Channel channel, Message request, int seconds) {
        var description = io.grpc.MethodDescriptor.<Message, Message>newBuilder()
                .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(method.getService().getFullName() + "/" + method.getName())
                .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getInputType())))
                .setResponseMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getOutputType()))).build();
        try {
            return new Outcome(Status.OK, Optional.of(ClientCalls.blockingUnaryCall(channel, description,
                    CallOptions.DEFAULT.withDeadlineAfter(seconds, TimeUnit.SECONDS), request)));
        } catch (StatusRuntimeException e) {
            return new Outcome(e.getStatus(), Optional.empty());
        }
    }
}
