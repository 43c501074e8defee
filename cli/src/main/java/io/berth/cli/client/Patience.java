package io.berth.cli.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Gives a deadline to calls that a healthy daemon answers from memory, so that a hung one is noticed. Calls that do work have
 * none: they end when the work does, and Ctrl-C ends them earlier.
 *
 * @param limit for one call
 */
record Patience(Duration limit) implements ClientInterceptor {

    private static final Set<String> WORK = Set.of("RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "CreateContainer",
            "StartContainer", "StopContainer", "RemoveContainer", "ExecSync", "PullImage", "RemoveImage", "ImportImage",
            "CheckpointContainer", "UpdateContainerResources", "UpdatePodSandboxResources");

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        boolean quick = method.getType() == MethodDescriptor.MethodType.UNARY && options.getDeadline() == null
                && !WORK.contains(method.getBareMethodName());
        return next.newCall(method, quick ? options.withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS) : options);
    }
}
