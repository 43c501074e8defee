package io.berth.server.rpc;

import io.berth.cri.v1.ContainerEventResponse;
import io.berth.pod.Node;
import io.berth.pod.events.ContainerEvent;
import io.berth.pod.events.EventSubscription;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/** The stream of changes in the lives of containers and sandboxes. */
final class EventRpcs {

    private final Node node;
    private final Answers answers;

    EventRpcs(Node node, Answers answers) {
        this.node = node;
        this.answers = answers;
    }

    /** Sends events until the client hangs up or does not keep up. */
    void stream(StreamObserver<ContainerEventResponse> observer) {
        answers.stream("GetContainerEvents", observer, stream -> {
            try (EventSubscription subscription = node.events().subscribe()) {
                stream.onCancel(subscription::close);
                Optional<ContainerEvent> event = subscription.next();
                while (event.isPresent()) {
                    stream.send(message(event.get()));
                    event = subscription.next();
                }
            }
        });
    }

    static ContainerEventResponse message(ContainerEvent event) {
        ContainerEventResponse.Builder message = ContainerEventResponse.newBuilder().setContainerId(event.id())
                .setContainerEventType(event.type()).setCreatedAt(event.atNanos());
        event.sandbox().ifPresent(sandbox -> message.setPodSandboxStatus(SandboxMessages.status(sandbox)));
        event.containers().forEach(container -> message.addContainersStatuses(ContainerMessages.status(container)));
        return message.build();
    }
}
