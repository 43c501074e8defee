package io.berth.nri;

import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerEviction;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.PodSandbox;
import java.util.List;

/** What plugins may ask of the runtime. Thread-safe; none of its methods may wait for a call of {@link Adaptation}. */
public interface NriRuntime {

    /** What runs: pods that are not removed and containers that have not ended. */
    record State(List<PodSandbox> pods, List<Container> containers) {}

    State state();

    /** Changes limits of containers; those that could not be changed, and did not say that this may be ignored. */
    List<ContainerUpdate> update(List<ContainerUpdate> updates);

    /** Stops a container soon; does not wait for its end. */
    void evict(ContainerEviction eviction, String plugin);
}
