package io.berth.pod.stats;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.linux.CgroupProcesses;
import io.berth.linux.CgroupUsage;
import io.berth.linux.InterfaceCounters;
import io.berth.linux.Namespace;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.pod.record.Sandbox;
import io.berth.pod.sandbox.SandboxNamespaces;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what pods use. Thread-safe. */
public final class MeasurePod {

    private static final Logger LOG = LoggerFactory.getLogger(MeasurePod.class);

    private final Node node;
    private final MeasureContainer containers;
    private final SandboxNamespaces namespaces;

    public MeasurePod(Node node, MeasureContainer containers) {
        this.node = node;
        this.containers = containers;
        this.namespaces = new SandboxNamespaces(node);
    }

    /** Measures one pod with its running containers. */
    public PodUsage measure(Sandbox sandbox) {
        long now = UnixTime.now();
        List<ContainerUsage> running = containers.measureRunning(node.inventory().containersOf(sandbox.id())).toList();
        Optional<CgroupUsage> own = hasOwnGroup(sandbox)
                ? CgroupUsage.read(node.cgroups(), sandbox.cgroup()) : Optional.empty();
        Optional<CgroupUsage> usage = own.or(() ->
                running.stream().map(ContainerUsage::usage).flatMap(Optional::stream).reduce(CgroupUsage::plus));
        Stream<String> groups = own.isPresent() ? Stream.of(sandbox.cgroup())
                : running.stream().map(container -> container.container().cgroup());
        long processes = groups.mapToLong(group -> CgroupProcesses.read(node.cgroups(), group).ids().size()).sum();
        OptionalLong rate = usage.map(figures -> containers.rate(sandbox.id(), figures, sandbox.createdAtNanos()))
                .orElse(OptionalLong.empty());
        return new PodUsage(sandbox, now, usage, rate, network(sandbox), processes, running);
    }

    /** Measures those of {@code sandboxes} that are ready; one that is stopped meanwhile is left out. Lazy. */
    public Stream<PodUsage> measureReady(Collection<Sandbox> sandboxes) {
        return sandboxes.stream().filter(sandbox -> sandbox.phase() == Sandbox.Phase.READY).map(sandbox -> {
            try {
                return Optional.of(measure(sandbox));
            } catch (RuntimeFault fault) {
                if (fault.kind() == RuntimeFault.Kind.CANCELLED) {
                    throw fault;
                }
                LOG.atDebug().addKeyValue("pod", sandbox.id()).addKeyValue("reason", fault.getMessage())
                        .log("pod cannot be measured, left out");
                return Optional.<PodUsage>empty();
            }
        }).flatMap(Optional::stream);
    }

    /**
     * Whether the pod's parent group is its alone: the kubelet names it after the pod's uid, Berth after the sandbox. Other
     * clients may put several pods below one group, whose figures would then be those of all.
     */
    static boolean hasOwnGroup(Sandbox sandbox) {
        Path name = Path.of(sandbox.cgroup()).getFileName();
        String uid = sandbox.config().getMetadata().getUid();
        if (name == null || uid.isEmpty()) {
            return false;
        }
        String bare = name.toString().replaceFirst("\\.slice$", "");
        return bare.equals(sandbox.id()) || bare.endsWith("pod" + uid) || bare.endsWith("pod" + uid.replace('-', '_'));
    }

    /** The pod's interfaces without the loopback; empty for the node's network and for a stopped pod. */
    private Optional<List<InterfaceCounters>> network(Sandbox sandbox) {
        Path pin = namespaces.pins(sandbox).get(Namespace.NET);
        if (sandbox.onHostNetwork() || sandbox.phase() != Sandbox.Phase.READY || pin == null) {
            return Optional.empty();
        }
        Stream<ProcessIdentity> inside = node.inventory().containersOf(sandbox.id()).stream()
                .filter(Container::isLive).map(Container::init).flatMap(Optional::stream);
        Optional<List<InterfaceCounters>> seen = inside.flatMap(process ->
                // Asked after the reading: the number cannot have been another process's.
                InterfaceCounters.seenBy(process.pid()).filter(any -> process.isAlive()).stream()).findFirst();
        return seen.or(() -> Optional.of(InterfaceCounters.in(pin)));
    }
}
