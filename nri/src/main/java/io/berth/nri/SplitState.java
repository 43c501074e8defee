package io.berth.nri;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.SynchronizeRequest;
import io.berth.ttrpc.TtrpcClient;
import java.util.ArrayList;
import java.util.List;

/** Cuts what runs into messages that a plugin accepts. */
final class SplitState {

    private SplitState() {}

    /** At least one; all but the last say that there is more. */
    static List<SynchronizeRequest> parts(List<PodSandbox> pods, List<Container> containers) {
        return parts(pods, containers, TtrpcClient.MESSAGE_LIMIT);
    }

    static List<SynchronizeRequest> parts(List<PodSandbox> pods, List<Container> containers, int limit) {
        List<SynchronizeRequest.Builder> parts = new ArrayList<>(List.of(SynchronizeRequest.newBuilder()));
        // The flag that says that there is more takes two bytes.
        int[] left = {limit - 2};
        pods.forEach(pod -> room(parts, left, pod, limit).addPods(pod));
        containers.forEach(container -> room(parts, left, container, limit).addContainers(container));
        parts.subList(0, parts.size() - 1).forEach(part -> part.setMore(true));
        return parts.stream().map(SynchronizeRequest.Builder::build).toList();
    }

    private static SynchronizeRequest.Builder room(List<SynchronizeRequest.Builder> parts, int[] left, MessageLite message,
            int limit) {
        int size = CodedOutputStream.computeMessageSize(1, message);
        if (size > left[0]) {
            parts.add(SynchronizeRequest.newBuilder());
            left[0] = limit - 2;
        }
        left[0] -= size;
        return parts.getLast();
    }
}
