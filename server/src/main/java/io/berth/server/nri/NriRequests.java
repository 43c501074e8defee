package io.berth.server.nri;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.nri.NriRuntime;
import io.berth.nri.v1.ContainerEviction;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.pod.Node;
import io.berth.pod.PodVerbs;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What plugins ask of this node. */
record NriRequests(Node node, PodVerbs verbs, NriMessages messages) implements NriRuntime {

    private static final Logger LOG = LoggerFactory.getLogger(NriRequests.class);

    @Override
    public State state() {
        return new State(
                node.inventory().sandboxes().stream().filter(Sandbox::isShown)
                        .map(messages::pod).toList(),
                node.inventory().containers().stream().filter(Container::isLive).map(messages::container).toList());
    }

    @Override
    public List<ContainerUpdate> update(List<ContainerUpdate> updates) {
        List<ContainerUpdate> failed = new ArrayList<>();
        for (ContainerUpdate update : updates) {
            try {
                // One that has ended meanwhile needs no limits any more.
                Optional<Container> container = node.inventory().findContainer(update.getContainerId())
                        .filter(Container::isLive);
                LinuxContainerResources wanted = NriResources.update(LinuxContainerResources.getDefaultInstance(),
                        update.getLinux().getResources());
                if (container.isPresent() && !wanted.equals(LinuxContainerResources.getDefaultInstance())) {
                    verbs.updateContainer().change(container.get().id(), wanted);
                }
            } catch (RuntimeFault fault) {
                LOG.atWarn().addKeyValue("container", update.getContainerId())
                        .addKeyValue("ignored", update.getIgnoreFailure()).setCause(fault).log("update of an NRI plugin failed");
                if (!update.getIgnoreFailure()) {
                    failed.add(update);
                }
            }
        }
        return failed;
    }

    @Override
    public void evict(ContainerEviction eviction, String plugin) {
        String id = eviction.getContainerId();
        if (node.inventory().findContainer(id).filter(Container::isLive).isEmpty()) {
            return;
        }
        LOG.atWarn().addKeyValue("container", id).addKeyValue("plugin", plugin).addKeyValue("reason",
                eviction.getReason().replaceAll("\\p{Cntrl}", " ")).log("evicted by an NRI plugin");
        Thread.ofVirtual().name("nri eviction").start(() -> {
            try {
                verbs.stopContainer().stop(id, Duration.ZERO);
            } catch (RuntimeFault fault) {
                LOG.atError().addKeyValue("container", id).setCause(fault).log("eviction failed");
            }
        });
    }
}
