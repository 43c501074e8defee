package io.berth.network.cni;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.linux.Namespaces;
import io.berth.linux.PlatformThreads;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.NetworkStatus;
import io.berth.network.PodNetwork;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network that the node's CNI configuration describes. Thread-safe; several sandboxes are attached at the same time.
 *
 * <p>Before the first ADD the configuration and all inputs are on record in the state directory, so DEL is run with what
 * ADD was given, whatever has become of the configuration since, and also by a process that starts after a crash.
 */
public final class CniNetwork implements PodNetwork {

    private static final Logger LOG = LoggerFactory.getLogger(CniNetwork.class);
    private static final long STATUS_AGE_NANOS = 10_000_000_000L;

    /** What STATUS said of a set of networks. */
    private record Polled(List<CniConfiguration> networks, NetworkStatus status, long nanoTime) {}

    private final CniSettings settings;
    private final CniConfigurationDirectory directory;
    private final CniRecords records;
    private final KeyedLocks<String> locks = new KeyedLocks<>();
    private final AtomicBoolean polling = new AtomicBoolean();
    private volatile Polled polled = new Polled(List.of(), NetworkStatus.isReady(), 0);

    /** Makes the state directory; reads no configuration yet. */
    public CniNetwork(CniSettings settings) {
        this.settings = settings;
        this.directory = new CniConfigurationDirectory(settings.confDir(), settings.maxConfFiles());
        this.records = new CniRecords(settings.stateDir().resolve("cni"));
    }

    @Override
    public Attachment attach(AttachRequest request) {
        return PlatformThreads.await(() -> {
            try (var _ = locks.lock(request.sandboxId())) {
                return attachLocked(request);
            }
        });
    }

    private Attachment attachLocked(AttachRequest request) {
        Optional<CniRecord> earlier = records.read(request.sandboxId());
        if (earlier.isPresent()) {
            if (earlier.get().attached() && earlier.get().netns().equals(request.netns().toString())) {
                return attachment(earlier.get());
            }
            // A process before us ended between the intent and the result.
            delete(earlier.get(), Optional.of(request.netns()));
        }
        List<CniConfiguration> networks = directory.current().networks();
        if (networks.isEmpty()) {
            throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "attach sandbox " + request.sandboxId() + ": "
                    + missing().message());
        }
        CniRecord intent = CniRecord.intent(request, networks);
        records.write(intent);
        return add(intent, networks);
    }

    private Attachment add(CniRecord intent, List<CniConfiguration> networks) {
        List<CniRecord.Network> done = new ArrayList<>(intent.networks());
        try {
            for (int i = 0; i < networks.size(); i++) {
                CniRecord.Network network = done.get(i);
                done.set(i, network.withResult(
                        new CniChain(settings, networks.get(i)).add(intent, network.interfaceName())));
            }
            CniRecord complete = intent.withNetworks(done, true);
            Attachment attachment = attachment(complete);
            records.write(complete);
            return attachment;
        } catch (RuntimeFault failure) {
            rollBack(intent.withNetworks(done, false), failure);
            throw failure;
        }
    }

    private void rollBack(CniRecord record, RuntimeFault failure) {
        // An interrupted caller must not keep the plugins from giving back what they took.
        boolean interrupted = Thread.interrupted();
        try {
            delete(record, Optional.of(Path.of(record.netns())));
        } catch (RuntimeFault second) {
            // The intent stays on record for the next detach or recovery.
            failure.addSuppressed(second);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Attachment attachment(CniRecord record) {
        Attachment primary = CniResult.attachment(record.networks().getFirst().result());
        List<Attachment.Interface> interfaces = new ArrayList<>(primary.interfaces());
        record.networks().stream().skip(1)
                .forEach(other -> interfaces.addAll(CniResult.attachment(other.result()).interfaces()));
        return new Attachment(primary.addresses(), interfaces, primary.rawResultJson());
    }

    @Override
    public void detach(DetachRequest request) {
        PlatformThreads.await(() -> {
            try (var _ = locks.lock(request.sandboxId())) {
                records.read(request.sandboxId()).or(() -> lost(request))
                        .ifPresent(record -> delete(record, request.netns()));
                return true;
            }
        });
    }

    // Without a record, as one that a former version kept where the machine's restart took it: plugins have to accept a DEL
    // without a result, and give back what they know the sandbox by its id to have.
    private Optional<CniRecord> lost(DetachRequest request) {
        List<CniConfiguration> networks = directory.current().networks();
        return networks.isEmpty() ? Optional.empty() : Optional.of(CniRecord.lost(request, networks));
    }

    private void delete(CniRecord record, Optional<Path> netns) {
        String there = netns.filter(CniNetwork::isNamespace).map(Path::toString).orElse("");
        List<RuntimeFault> failures = new ArrayList<>();
        for (CniRecord.Network network : record.networks().reversed()) {
            try {
                new CniChain(settings, network.parsed()).delete(record, network, there);
            } catch (RuntimeFault failure) {
                failures.add(failure);
            }
        }
        if (!failures.isEmpty()) {
            throw failures.getFirst();
        }
        records.remove(record.sandboxId());
    }

    // A file that is only the mount point left over is no namespace: plugins would fail on it instead of cleaning up.
    private static boolean isNamespace(Path path) {
        return path.startsWith("/proc") || Namespaces.isPinned(path);
    }

    @Override
    public void check(AttachRequest request) {
        PlatformThreads.await(() -> {
            try (var _ = locks.lock(request.sandboxId())) {
                CniRecord record = records.read(request.sandboxId()).filter(CniRecord::attached).orElseThrow(
                        () -> RuntimeFault.notFound("check network of sandbox " + request.sandboxId()
                                + ": it is not attached"));
                for (CniRecord.Network network : record.networks()) {
                    new CniChain(settings, network.parsed()).check(record, network);
                }
                return true;
            }
        });
    }

    /**
     * {@inheritDoc}
     *
     * <p>Looks at the configuration directory and for the plugins; what the plugins themselves say (STATUS, version 1.1) is
     * asked for once for a new configuration and then in the background, so it is up to ten seconds old.
     */
    @Override
    public NetworkStatus status() {
        List<CniConfiguration> networks = directory.current().networks();
        if (networks.isEmpty()) {
            return missing();
        }
        try {
            networks.forEach(one -> new CniChain(settings, one).requirePlugins());
        } catch (RuntimeFault fault) {
            return NetworkStatus.notReady(RuntimeFault.reason(fault));
        }
        if (networks.stream().noneMatch(one -> one.version().hasStatusAndGc())) {
            return NetworkStatus.isReady();
        }
        if (!polled.networks.equals(networks)) {
            poll(networks);
        } else if (System.nanoTime() - polled.nanoTime > STATUS_AGE_NANOS && polling.compareAndSet(false, true)) {
            PlatformThreads.executor().execute(() -> {
                try {
                    poll(networks);
                } finally {
                    polling.set(false);
                }
            });
        }
        return polled.status;
    }

    private void poll(List<CniConfiguration> networks) {
        polled = PlatformThreads.await(() -> {
            NetworkStatus status = NetworkStatus.isReady();
            try {
                networks.forEach(one -> new CniChain(settings, one).status());
            } catch (RuntimeFault fault) {
                status = NetworkStatus.notReady(RuntimeFault.reason(fault));
            }
            return new Polled(networks, status, System.nanoTime());
        });
    }

    private NetworkStatus missing() {
        List<String> problems = directory.current().problems();
        return NetworkStatus.notReady("no CNI configuration in " + settings.confDir()
                + ": put a .conflist there or set network = \"builtin\""
                + (problems.isEmpty() ? "" : "; passed over: " + String.join("; ", problems)));
    }

    @Override
    public void reload() {
        directory.forget();
        polled = new Polled(List.of(), NetworkStatus.isReady(), 0);
    }

    @Override
    public Set<String> recover(Set<String> liveSandboxIds) {
        return PlatformThreads.await(() -> {
            Set<String> left = new HashSet<>();
            for (CniRecord record : records.all()) {
                // An intent without a result is undone even for a live sandbox: its RunPodSandbox never finished.
                if (!liveSandboxIds.contains(record.sandboxId()) || !record.attached()) {
                    try (var _ = locks.lock(record.sandboxId())) {
                        delete(record, Optional.of(Path.of(record.netns())));
                    } catch (RuntimeFault fault) {
                        LOG.atWarn().addKeyValue("pod", record.sandboxId()).setCause(fault).log("leftover not detached");
                        left.add(record.sandboxId());
                    }
                }
            }
            if (settings.collectGarbage()) {
                collect();
            }
            return left;
        });
    }

    private void collect() {
        List<CniRecord> attached = records.all();
        for (CniConfiguration network : directory.current().networks()) {
            try {
                new CniChain(settings, network).collect(attached);
            } catch (RuntimeFault fault) {
                LOG.atWarn().addKeyValue("network", network.name()).setCause(fault).log("cni garbage collection failed");
            }
        }
    }

    @Override
    public Set<String> attached() {
        return PlatformThreads.await(() -> records.all().stream().map(CniRecord::sandboxId).collect(Collectors.toSet()));
    }

    @Override
    public void close() {}
}
