package io.berth.pod;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.base.Timeline;
import io.berth.image.Images;
import io.berth.linux.Cgroups;
import io.berth.network.PodNetwork;
import io.berth.pod.container.Exits;
import io.berth.pod.events.ContainerEvents;
import io.berth.pod.extension.LifecycleHooks;
import io.berth.pod.record.Inventory;
import io.berth.pod.spec.ContainerSpec;
import io.berth.pod.spec.SelinuxLabels;
import io.berth.runtime.ContainerRuntime;
import io.berth.snapshot.Snapshotter;
import io.berth.snapshot.Snapshotters;
import java.util.Map;

/**
 * The parts that the verbs work with, wired once at start.
 *
 * @param runtimes by handler name
 * @param verbs held while a verb that changes a sandbox or container works on it, keyed by its id
 * @param hooks who else takes part in what the verbs do
 * @param selinux the labels of pods and containers
 */
public record Node(Directories directories, NodeSettings settings, Inventory inventory, Images images,
        Snapshotters snapshotters, PodNetwork network, Map<String, ContainerRuntime> runtimes,
        Cgroups cgroups, ContainerSpec specs, Exits exits, ContainerEvents events, Timeline timeline,
        KeyedLocks<String> verbs, LifecycleHooks hooks, SelinuxLabels selinux) {

    /** The runtime of a handler; the empty name stands for the default one. */
    public ContainerRuntime runtime(String handler) {
        ContainerRuntime runtime = runtimes.get(handlerName(handler));
        if (runtime == null) {
            throw RuntimeFault.invalid("use runtime handler \"" + handler + "\": this node has "
                    + runtimes.keySet().stream().sorted().toList() + ": add [runtime.runtimes." + handler
                    + "] to the configuration or correct the RuntimeClass");
        }
        return runtime;
    }

    /** Where root filesystems for a handler's containers come from; the empty name stands for the default handler. */
    public Snapshotter snapshotter(String handler) {
        return snapshotters.of(runtime(handler).handler().snapshotter());
    }

    /** The handler's own name for what a client may have left empty. */
    public String handlerName(String handler) {
        return handler.isEmpty() ? settings.defaultHandler() : handler;
    }
}
