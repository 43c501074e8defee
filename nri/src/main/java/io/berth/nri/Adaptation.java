package io.berth.nri;

import io.berth.base.RuntimeFault;
import io.berth.nri.conflict.CollectAdjustments;
import io.berth.nri.conflict.CollectUpdates;
import io.berth.nri.conflict.Owners;
import io.berth.nri.v1.Container;
import io.berth.nri.v1.ContainerAdjustment;
import io.berth.nri.v1.ContainerEviction;
import io.berth.nri.v1.ContainerUpdate;
import io.berth.nri.v1.CreateContainerRequest;
import io.berth.nri.v1.CreateContainerResponse;
import io.berth.nri.v1.Event;
import io.berth.nri.v1.LinuxResources;
import io.berth.nri.v1.PodSandbox;
import io.berth.nri.v1.StateChangeEvent;
import io.berth.nri.v1.StopContainerResponse;
import io.berth.nri.v1.UpdateContainerRequest;
import io.berth.nri.v1.UpdateContainerResponse;
import io.berth.nri.v1.UpdatePodSandboxRequest;
import io.berth.nri.v1.ValidateContainerAdjustmentRequest;
import io.berth.nri.v1.ValidateContainerAdjustmentResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relays events of pods and containers to plugins, one event at a time: plugins are called in the order of their indexes, and
 * the updates that they ask for are made before the next event, so that a later decision is never overtaken by an earlier
 * one. With no plugin connected an event costs taking a free lock.
 *
 * <p>An event with {@code Supplier}s asks for the messages only when a plugin wants them. Thread-safe.
 */
public final class Adaptation implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Adaptation.class);

    private final NriSettings settings;
    private final NriRuntime runtime;
    private final DefaultValidator validator;
    private final PluginSet plugins;
    /** Told to plugins, but not yet in the runtime's own state: a plugin that comes now must learn of them. */
    private final Map<String, Supplier<PodSandbox>> newPods = new ConcurrentHashMap<>();
    private final Map<String, Supplier<Container>> newContainers = new ConcurrentHashMap<>();

    private Adaptation(NriSettings settings, NriRuntime runtime) {
        this.settings = settings;
        this.runtime = runtime;
        this.validator = new DefaultValidator(settings.validator());
        this.plugins = new PluginSet(settings, runtime, this::state);
    }

    /** Starts installed plugins, waits until they know what runs, then accepts connections. */
    public static Adaptation start(NriSettings settings, NriRuntime runtime) {
        Adaptation adaptation = new Adaptation(settings, runtime);
        adaptation.plugins.start();
        return adaptation;
    }

    /** Whether any plugin is connected. */
    public boolean hasPlugins() {
        return !plugins.all().isEmpty();
    }

    /** The names of the connected plugins, in the order in which they are called. */
    public List<String> pluginNames() {
        return plugins.all().stream().map(Plugin::name).toList();
    }

    private NriRuntime.State state() {
        Map<String, PodSandbox> pods = new java.util.LinkedHashMap<>();
        Map<String, Container> containers = new java.util.LinkedHashMap<>();
        // In this order: what moves from here to there meanwhile is seen twice rather than never.
        newPods.forEach((id, pod) -> pods.put(id, pod.get()));
        newContainers.forEach((id, container) -> containers.put(id, container.get()));
        NriRuntime.State known = runtime.state();
        known.pods().forEach(pod -> pods.put(pod.getId(), pod));
        known.containers().forEach(container -> containers.put(container.getId(), container));
        return new NriRuntime.State(List.copyOf(pods.values()), List.copyOf(containers.values()));
    }

    /**
     * A sandbox is made and about to be shown; {@link #podKnown} must follow.
     *
     * @throws RuntimeFault when a plugin refuses it
     */
    public void runPodSandbox(String id, Supplier<PodSandbox> pod) {
        try (var held = plugins.hold()) {
            tell(Event.RUN_POD_SANDBOX, pod, Optional.empty());
            newPods.put(id, pod);
        }
    }

    /** The runtime's state has the pod now, or has given it up. */
    public void podKnown(String id) {
        newPods.remove(id);
    }

    /** New resources of a pod. */
    public void updatePodSandbox(Supplier<PodSandbox> pod, Supplier<LinuxResources> overhead, Supplier<LinuxResources> all) {
        try (var held = plugins.hold()) {
            for (Plugin plugin : plugins.wanting(Event.UPDATE_POD_SANDBOX)) {
                var request = UpdatePodSandboxRequest.newBuilder().setPod(pod.get()).setOverheadLinuxResources(overhead.get())
                        .setLinuxResources(all.get()).build();
                plugin.call(Event.UPDATE_POD_SANDBOX, request, io.berth.nri.v1.Empty.parser(), settings.requestTimeout());
            }
        }
    }

    /** Any event that plugins can only take note of or refuse. */
    public void event(Event event, Supplier<PodSandbox> pod, Optional<Supplier<Container>> container) {
        try (var held = plugins.hold()) {
            tell(event, pod, container);
        }
    }

    /** An event that has happened whatever plugins say: a refusal is logged, and the next plugin is told nevertheless. */
    public void note(Event event, Supplier<PodSandbox> pod, Optional<Supplier<Container>> container) {
        try (var held = plugins.hold()) {
            for (Plugin plugin : plugins.wanting(event)) {
                try {
                    tell(plugin, event, pod, container);
                } catch (RuntimeFault fault) {
                    LOG.atWarn().addKeyValue("plugin", plugin.name()).setCause(fault).log("NRI plugin refuses what has happened");
                }
            }
        }
    }

    private void tell(Event event, Supplier<PodSandbox> pod, Optional<Supplier<Container>> container) {
        plugins.wanting(event).forEach(plugin -> tell(plugin, event, pod, container));
    }

    // The requests of all these events have the pod as field 1 and, where there is one, the container as field 2.
    private void tell(Plugin plugin, Event event, Supplier<PodSandbox> pod, Optional<Supplier<Container>> container) {
        CreateContainerRequest.Builder request = CreateContainerRequest.newBuilder().setPod(pod.get());
        container.ifPresent(each -> request.setContainer(each.get()));
        plugin.tell(event, request.build(), () -> {
            StateChangeEvent.Builder old = StateChangeEvent.newBuilder().setEvent(event).setPod(request.getPod());
            container.ifPresent(each -> old.setContainer(request.getContainer()));
            return old.build();
        }, settings.requestTimeout());
    }

    /**
     * A container is about to be created; {@link #containerKnown} must follow.
     *
     * @return what plugins change of it, empty when none of them does
     * @throws RuntimeFault when a plugin refuses it, or two of them do not agree
     */
    public Optional<ContainerAdjustment> createContainer(String id, Supplier<PodSandbox> pod, Supplier<Container> container) {
        List<Eviction> evictions = new ArrayList<>();
        ContainerAdjustment adjustment;
        try (var held = plugins.hold()) {
            if (!hasPlugins() && !settings.validator().enable()) {
                newContainers.put(id, container);
                return Optional.empty();
            }
            Container described = container.get();
            adjustment = adjust(pod.get(), described, evictions);
            newContainers.put(id, () -> described);
        }
        // Only now: nobody makes room for a container that was refused.
        evictions.forEach(each -> runtime.evict(each.what(), each.plugin()));
        return Optional.of(adjustment).filter(each -> !each.equals(ContainerAdjustment.getDefaultInstance()));
    }

    private record Eviction(ContainerEviction what, String plugin) {}

    private ContainerAdjustment adjust(PodSandbox pod, Container container, List<Eviction> evictions) {
        Owners owners = new Owners();
        CollectAdjustments adjustments = new CollectAdjustments(container, owners);
        CollectUpdates updates = new CollectUpdates(owners);
        var validation = ValidateContainerAdjustmentRequest.newBuilder().setPod(pod).setContainer(container);
        for (Plugin plugin : plugins.all()) {
            validation.addPluginsBuilder().setName(plugin.fullName().base()).setIndex(plugin.fullName().index());
            var request = CreateContainerRequest.newBuilder().setPod(pod).setContainer(adjustments.container()).build();
            Optional<CreateContainerResponse> answer = plugin.call(Event.CREATE_CONTAINER, request,
                    CreateContainerResponse.parser(), settings.requestTimeout());
            if (answer.isPresent()) {
                adjustments.add(answer.get().getAdjust(), plugin.name());
                refuseUpdateOf(container.getId(), answer.get().getUpdateList(), plugin);
                updates.add(answer.get().getUpdateList(), plugin.name());
                answer.get().getEvictList().forEach(each -> evictions.add(new Eviction(each, plugin.name())));
            }
        }
        List<ContainerUpdate> others = updates.others(container.getId());
        validate(validation.setAdjust(adjustments.adjustment()).addAllUpdate(others).setOwners(owners.message()).build());
        make(others);
        return adjustments.adjustment();
    }

    private static void refuseUpdateOf(String id, List<ContainerUpdate> updates, Plugin plugin) {
        if (updates.stream().anyMatch(update -> update.getContainerId().equals(id))) {
            throw RuntimeFault.invalid("create container " + id + ": NRI plugin " + plugin.name()
                    + " updates the container that is being created: it has to adjust it");
        }
    }

    // A validator that fails has not approved: here, unlike elsewhere, silence is a refusal.
    private void validate(ValidateContainerAdjustmentRequest request) {
        validator.validate(request);
        for (Plugin plugin : plugins.wanting(Event.VALIDATE_CONTAINER_ADJUSTMENT)) {
            ValidateContainerAdjustmentResponse answer = plugin.call(Event.VALIDATE_CONTAINER_ADJUSTMENT, request,
                    ValidateContainerAdjustmentResponse.parser(), settings.requestTimeout())
                    .orElseThrow(() -> new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "validate adjustment: NRI plugin "
                            + plugin.name() + " has to approve it and does not answer"));
            if (answer.getReject()) {
                throw new RuntimeFault(RuntimeFault.Kind.PERMISSION_DENIED, "validate adjustment: NRI plugin " + plugin.name()
                        + " rejects it: " + (answer.getReason().isEmpty() ? "it gives no reason" : answer.getReason()));
            }
        }
    }

    private void make(List<ContainerUpdate> updates) {
        if (!updates.isEmpty()) {
            runtime.update(updates).forEach(failed -> LOG.atWarn().addKeyValue("container", failed.getContainerId())
                    .log("update of an NRI plugin failed"));
        }
    }

    /** The runtime's state has the container now, or has given it up. */
    public void containerKnown(String id) {
        newContainers.remove(id);
    }

    /**
     * A container gets new limits.
     *
     * @param asked by the client
     * @return what it shall get after plugins have changed that; empty when there are none
     */
    public Optional<LinuxResources> updateContainer(String id, Supplier<PodSandbox> pod, Supplier<Container> container,
            Supplier<LinuxResources> asked) {
        List<Eviction> evictions = new ArrayList<>();
        LinuxResources decided;
        try (var held = plugins.hold()) {
            List<Plugin> wanting = plugins.wanting(Event.UPDATE_CONTAINER);
            if (wanting.isEmpty()) {
                return Optional.empty();
            }
            CollectUpdates updates = new CollectUpdates(new Owners());
            updates.begin(id, asked.get());
            for (Plugin plugin : wanting) {
                var request = UpdateContainerRequest.newBuilder().setPod(pod.get()).setContainer(container.get())
                        .setLinuxResources(updates.of(id)).build();
                Optional<UpdateContainerResponse> answer = plugin.call(Event.UPDATE_CONTAINER, request,
                        UpdateContainerResponse.parser(), settings.requestTimeout());
                if (answer.isPresent()) {
                    updates.add(answer.get().getUpdateList(), plugin.name());
                    answer.get().getEvictList().forEach(each -> evictions.add(new Eviction(each, plugin.name())));
                }
            }
            make(updates.others(id));
            decided = updates.of(id);
        }
        evictions.forEach(each -> runtime.evict(each.what(), each.plugin()));
        return Optional.of(decided);
    }

    /** A container has ended. What plugins say against that is logged. */
    public void stopContainer(Supplier<PodSandbox> pod, Supplier<Container> container) {
        try (var held = plugins.hold()) {
            CollectUpdates updates = new CollectUpdates(new Owners());
            for (Plugin plugin : plugins.wanting(Event.STOP_CONTAINER)) {
                try {
                    var request = CreateContainerRequest.newBuilder().setPod(pod.get()).setContainer(container.get()).build();
                    plugin.call(Event.STOP_CONTAINER, request, StopContainerResponse.parser(), settings.requestTimeout())
                            .ifPresent(answer -> updates.add(answer.getUpdateList(), plugin.name()));
                } catch (RuntimeFault fault) {
                    LOG.atWarn().addKeyValue("plugin", plugin.name()).setCause(fault).log("NRI plugin refuses what has happened");
                }
            }
            make(updates.others(""));
        }
    }

    /** Says good-bye to the plugins and ends those that were started here. */
    @Override
    public void close() {
        plugins.close();
    }
}
