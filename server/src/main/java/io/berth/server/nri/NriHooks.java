package io.berth.server.nri;

import io.berth.base.RuntimeFault;
import io.berth.cri.v1.LinuxContainerResources;
import io.berth.linux.Cgroups;
import io.berth.nri.Adaptation;
import io.berth.nri.NriSettings;
import io.berth.nri.oci.AdjustSpec;
import io.berth.nri.oci.SpecAbilities;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.Event;
import io.berth.nri.v1.PodSandbox;
import io.berth.pod.Node;
import io.berth.pod.PodVerbs;
import io.berth.pod.extension.LifecycleHooks;
import io.berth.pod.record.Container;
import io.berth.pod.record.Sandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import tools.jackson.databind.node.ObjectNode;

/**
 * Lets NRI plugins take part in the lives of pods and containers. Before {@link #start} nobody takes part. Thread-safe; owned
 * and closed by the wiring.
 */
public final class NriHooks implements LifecycleHooks, AutoCloseable {

    private record Started(Node node, NriMessages messages, Adaptation adaptation) {

        Supplier<PodSandbox> pod(Sandbox sandbox) {
            return () -> messages.pod(sandbox);
        }

        Supplier<PodSandbox> podOf(Container container) {
            return () -> messages.podOf(container);
        }

        Supplier<io.berth.nri.v1.Container> container(Container container) {
            return () -> messages.container(container);
        }
    }

    private volatile Optional<Started> started = Optional.empty();
    /** Containers of whose end plugins were told, or are being told. */
    private final Map<String, CompletableFuture<Void>> stopped = new ConcurrentHashMap<>();
    private final Set<String> stoppedPods = ConcurrentHashMap.newKeySet();

    /** Starts and admits plugins. What has ended by now is nothing that plugins are told of. */
    public void start(Node node, PodVerbs verbs, NriSettings settings) {
        node.inventory().containers().stream().filter(container -> !container.isLive())
                .forEach(container -> stopped.put(container.id(), CompletableFuture.completedFuture(null)));
        node.inventory().sandboxes().stream().filter(Sandbox::hasStopped)
                .forEach(sandbox -> stoppedPods.add(sandbox.id()));
        NriMessages messages = new NriMessages(node);
        Adaptation adaptation = Adaptation.start(settings, new NriRequests(node, verbs, messages));
        started = Optional.of(new Started(node, messages, adaptation));
    }

    /** A container has ended; returns at once. */
    public void ended(Container container) {
        relay(nri -> {
            // Noted at once: a removal that is faster than the thread must not have its plugins told of an end afterwards.
            boolean removed = nri.node.inventory().findContainer(container.id())
                    .map(now -> now.phase() == Container.Phase.REMOVING).orElse(true);
            CompletableFuture<Void> mine = new CompletableFuture<>();
            if (!removed && stopped.putIfAbsent(container.id(), mine) == null) {
                Thread.ofVirtual().name("nri stop").start(() -> tellOfEnd(nri, container, mine));
            }
        });
    }

    private static void tellOfEnd(Started nri, Container container, CompletableFuture<Void> told) {
        try {
            nri.adaptation.stopContainer(nri.podOf(container), nri.container(container));
        } finally {
            told.complete(null);
        }
    }

    /** The names of the plugins that take part, in the order in which they are called. */
    public List<String> pluginNames() {
        return started.map(nri -> nri.adaptation.pluginNames()).orElse(List.of());
    }

    private void relay(Consumer<Started> event) {
        started.ifPresent(event);
    }

    @Override
    public void sandboxRunning(Sandbox sandbox) {
        relay(nri -> refusable("run sandbox " + sandbox.id(),
                () -> nri.adaptation.runPodSandbox(sandbox.id(), nri.pod(sandbox))));
    }

    private static void refusable(String action, Runnable event) {
        try {
            event.run();
        } catch (RuntimeFault fault) {
            throw RuntimeFault.during(action, fault);
        }
    }

    @Override
    public void sandboxReady(Sandbox sandbox) {
        relay(nri -> nri.adaptation.podKnown(sandbox.id()));
    }

    @Override
    public void sandboxUndone(Sandbox sandbox) {
        relay(nri -> {
            nri.adaptation.podKnown(sandbox.id());
            nri.adaptation.note(Event.STOP_POD_SANDBOX, nri.pod(sandbox), Optional.empty());
            nri.adaptation.note(Event.REMOVE_POD_SANDBOX, nri.pod(sandbox), Optional.empty());
        });
    }

    @Override
    public void sandboxUpdating(Sandbox sandbox, LinuxContainerResources overhead, LinuxContainerResources resources) {
        relay(nri -> refusable("update sandbox " + sandbox.id(), () -> nri.adaptation.updatePodSandbox(nri.pod(sandbox),
                () -> NriResources.of(overhead), () -> NriResources.of(resources))));
    }

    @Override
    public void sandboxUpdated(Sandbox sandbox) {
        relay(nri -> nri.adaptation.note(Event.POST_UPDATE_POD_SANDBOX, nri.pod(sandbox), Optional.empty()));
    }

    @Override
    public void sandboxStopping(Sandbox sandbox) {
        relay(nri -> {
            // Those that ended by themselves a moment ago: plugins hear of containers before they hear of their pod.
            nri.node.inventory().containersOf(sandbox.id()).stream()
                    .filter(container -> container.phase() == Container.Phase.EXITED).forEach(this::containerStopped);
            if (stoppedPods.add(sandbox.id())) {
                nri.adaptation.note(Event.STOP_POD_SANDBOX, nri.pod(sandbox), Optional.empty());
            }
        });
    }

    @Override
    public void sandboxRemoving(Sandbox sandbox) {
        relay(nri -> {
            nri.adaptation.note(Event.REMOVE_POD_SANDBOX, nri.pod(sandbox), Optional.empty());
            stoppedPods.remove(sandbox.id());
        });
    }

    @Override
    public Adjusted containerCreating(Sandbox sandbox, Container container, ObjectNode spec) {
        Adjusted asIs = new Adjusted(container.resources(), container.cgroup());
        return with(asIs, nri -> {
            Optional<ContainerAdjustment> adjustment = nri.adaptation.createContainer(container.id(), nri.pod(sandbox),
                    () -> nri.messages.container(container, spec));
            if (adjustment.isEmpty()) {
                return asIs;
            }
            new AdjustSpec(spec, abilities(nri.node, container)).apply(adjustment.get());
            var linux = adjustment.get().getLinux();
            if (!linux.getCgroupsPath().isEmpty() && linux.getCgroupsPath().startsWith("/") == Cgroups.isBySystemd(container.cgroup())) {
                throw RuntimeFault.invalid("adjust container " + container.id() + ": an NRI plugin sets cgroup "
                        + linux.getCgroupsPath() + ", and here cgroups are made "
                        + (Cgroups.isBySystemd(container.cgroup()) ? "by systemd: SLICE:PREFIX:NAME is needed"
                        : "in the file system: an absolute path is needed"));
            }
            return new Adjusted(NriResources.over(container.resources(), linux.getResources()),
                    linux.getCgroupsPath().isEmpty() ? container.cgroup() : linux.getCgroupsPath());
        });
    }

    private <T> T with(T otherwise, Function<Started, T> event) {
        return started.map(event).orElse(otherwise);
    }

    private static SpecAbilities abilities(Node node, Container container) {
        var runtime = node.runtime(container.handler());
        return new SpecAbilities(runtime.handler().name(), runtime.features(), node.cgroups().isUnified(),
                Files.isDirectory(Path.of("/sys/fs/resctrl/info")), node.specs()::oomScore, node.specs()::blockioClass,
                node.specs()::injectDevices);
    }

    @Override
    public void containerCreated(Container container) {
        relay(nri -> {
            nri.adaptation.containerKnown(container.id());
            note(nri, Event.POST_CREATE_CONTAINER, container);
        });
    }

    private static void note(Started nri, Event event, Container container) {
        nri.adaptation.note(event, nri.podOf(container), Optional.of(nri.container(container)));
    }

    @Override
    public void containerUndone(Container container) {
        relay(nri -> {
            nri.adaptation.containerKnown(container.id());
            containerStopped(container);
            containerRemoving(container);
        });
    }

    @Override
    public void containerStarting(Container container) {
        relay(nri -> refusable("start container " + container.id(), () -> nri.adaptation.event(Event.START_CONTAINER,
                nri.podOf(container), Optional.of(nri.container(container)))));
    }

    @Override
    public void containerStarted(Container container) {
        relay(nri -> note(nri, Event.POST_START_CONTAINER, container));
    }

    @Override
    public LinuxContainerResources containerUpdating(Container container, LinuxContainerResources wanted) {
        return with(wanted, nri -> nri.adaptation.updateContainer(container.id(), nri.podOf(container),
                nri.container(container), () -> NriResources.of(wanted))
                .map(decided -> NriResources.update(wanted, decided)).orElse(wanted));
    }

    @Override
    public void containerUpdated(Container container) {
        relay(nri -> note(nri, Event.POST_UPDATE_CONTAINER, container));
    }

    @Override
    public void containerStopped(Container container) {
        relay(nri -> {
            CompletableFuture<Void> mine = new CompletableFuture<>();
            CompletableFuture<Void> present = stopped.putIfAbsent(container.id(), mine);
            if (present != null) {
                present.join();
            } else {
                tellOfEnd(nri, container, mine);
            }
        });
    }

    @Override
    public void containerRemoving(Container container) {
        relay(nri -> {
            note(nri, Event.REMOVE_CONTAINER, container);
            stopped.remove(container.id());
        });
    }

    @Override
    public void close() {
        started.ifPresent(nri -> nri.adaptation.close());
        started = Optional.empty();
    }
}
