package io.berth.pod.stats;

import io.berth.base.RuntimeFault;
import io.berth.base.UnixTime;
import io.berth.linux.CgroupHugepages;
import io.berth.linux.CgroupIo;
import io.berth.linux.CgroupProcesses;
import io.berth.linux.CgroupUsage;
import io.berth.linux.OpenFiles;
import io.berth.pod.Node;
import io.berth.pod.record.Container;
import io.berth.pod.record.ProcessIdentity;
import io.berth.runtime.ContainerRuntime;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what containers use. Thread-safe; keeps the last reading of each container for its rates. */
public final class MeasureContainer {

    private static final Logger LOG = LoggerFactory.getLogger(MeasureContainer.class);

    private static final Duration CLEANING = Duration.ofMinutes(1);
    /** How many removed containers may be remembered until then. */
    private static final int STALE = 64;

    private final Node node;
    private final ProcessorRates rates = new ProcessorRates();
    private final WritableLayers layers;
    private volatile long cleanedAtNanos = System.nanoTime();

    public MeasureContainer(Node node) {
        this.node = node;
        this.layers = new WritableLayers(node.snapshotters()::usage);
    }

    /** Measures one container, whatever its state. */
    public ContainerUsage measure(Container container) {
        forgetRemoved();
        long now = UnixTime.now();
        Optional<CgroupUsage> usage = container.isLive() ? usage(container) : Optional.empty();
        OptionalLong rate = usage.isEmpty() ? OptionalLong.empty()
                : rates.observe(container.id(), usage.get().cpu().nanos(), age(now, container.startedAtNanos()));
        return new ContainerUsage(container, now, usage, rate, layers.of(container.id()));
    }

    private Optional<CgroupUsage> usage(Container container) {
        ContainerRuntime runtime = node.runtime(container.handler());
        if (runtime.hasOwnKernel()) {
            // Its group may be empty: what it uses is the kernel's, which may serve all of the pod.
            return runtime.usage(container.id()).or(() -> CgroupUsage.read(node.cgroups(), container.cgroup()));
        }
        return CgroupUsage.read(node.cgroups(), container.cgroup()).or(() -> runtime.usage(container.id()));
    }

    private static Duration age(long now, long startedAtNanos) {
        return startedAtNanos == 0 ? Duration.ZERO : Duration.ofNanos(now - startedAtNanos);
    }

    /**
     * Measures those of {@code containers} that run. One that ends or is removed meanwhile is left out: it must not spoil
     * the answer for the others. The stream is lazy: each is measured when its turn comes.
     */
    public Stream<ContainerUsage> measureRunning(Collection<Container> containers) {
        return containers.stream().filter(container -> container.phase() == Container.Phase.RUNNING)
                .map(container -> unlessGone(container, () -> measure(container))).flatMap(Optional::stream)
                .filter(measured -> measured.usage().isPresent() || isRunning(measured.container()));
    }

    /** What metrics need beyond {@link #measure}; empty when the container ended meanwhile. */
    public Optional<ContainerDetails> details(Container container) {
        return unlessGone(container, () -> {
            CgroupProcesses processes = CgroupProcesses.read(node.cgroups(), container.cgroup());
            OptionalLong limit = container.init().map(ProcessIdentity::pid).map(OpenFiles::softLimit)
                    .orElse(OptionalLong.empty());
            return new ContainerDetails(processes, OpenFiles.of(processes.ids()), limit,
                    CgroupIo.read(node.cgroups(), container.cgroup()),
                    CgroupHugepages.read(node.cgroups(), container.cgroup()),
                    CgroupUsage.oomKills(node.cgroups(), container.cgroup()));
        });
    }

    OptionalLong rate(String id, CgroupUsage usage, long createdAtNanos) {
        return rates.observe(id, usage.cpu().nanos(), age(UnixTime.now(), createdAtNanos));
    }

    private <T> Optional<T> unlessGone(Container container, Supplier<T> work) {
        try {
            return Optional.of(work.get());
        } catch (RuntimeFault fault) {
            if (fault.kind() == RuntimeFault.Kind.CANCELLED) {
                throw fault;
            }
            // While it runs on, this is a defect that somebody should see; else it is only the teardown.
            (isRunning(container) ? LOG.atWarn() : LOG.atDebug()).addKeyValue("container", container.id())
                    .addKeyValue("reason", fault.getMessage()).log("container cannot be measured, left out");
            return Optional.empty();
        }
    }

    private boolean isRunning(Container container) {
        return node.inventory().findContainer(container.id()).map(Container::phase)
                .filter(phase -> phase == Container.Phase.RUNNING).isPresent();
    }

    private void forgetRemoved() {
        long now = System.nanoTime();
        int alive = node.inventory().containers().size() + node.inventory().sandboxes().size();
        if (now - cleanedAtNanos < CLEANING.toNanos() && Math.max(rates.size(), layers.size()) <= alive + STALE) {
            return;
        }
        cleanedAtNanos = now;
        Set<String> known = new HashSet<>();
        node.inventory().containers().forEach(container -> known.add(container.id()));
        node.inventory().sandboxes().forEach(sandbox -> known.add(sandbox.id()));
        Predicate<String> gone = id -> !known.contains(id);
        rates.forget(gone);
        layers.forget(gone);
    }
}
