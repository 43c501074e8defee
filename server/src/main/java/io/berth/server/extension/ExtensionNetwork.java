package io.berth.server.extension;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.extension.NetworkProvider;
import io.berth.extension.PodInterface;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.DetachRequest;
import io.berth.network.NetworkStatus;
import io.berth.network.PodNetwork;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network of an extension behind the contract of {@link PodNetwork}: what is about to be attached is on record first,
 * whatever the extension does then. Thread-safe.
 */
final class ExtensionNetwork implements PodNetwork {

    private static final Logger LOG = LoggerFactory.getLogger(ExtensionNetwork.class);
    /** How old the word of the extension may be that {@link #status()} repeats. */
    private static final Duration STATUS_AGE = Duration.ofSeconds(5);

    private final String name;
    private final Guard guard;
    private final NetworkProvider provider;
    private final AttachmentRecords records;
    private final KeyedLocks<String> locks = new KeyedLocks<>();
    private final AtomicBoolean asking = new AtomicBoolean();
    private volatile NetworkStatus status;
    private volatile long askedAt;

    ExtensionNetwork(String name, Guard guard, NetworkProvider provider, Path directory) {
        this.name = name;
        this.guard = guard;
        this.provider = provider;
        this.records = new AttachmentRecords(directory);
        ask();
    }

    @Override
    public Attachment attach(AttachRequest request) {
        String id = request.sandboxId();
        try (var held = locks.lock(id)) {
            Optional<AttachmentRecords.Entry> present = records.find(id);
            if (present.isPresent() && present.get().attached()) {
                return attachment(present.get().addresses());
            }
            var entry = new AttachmentRecords.Entry(id, request.podNamespace(), request.podName(), request.podUid(), false, List.of());
            records.write(entry);
            try {
                List<InetAddress> addresses = guard.call("attach sandbox " + id,
                        () -> List.copyOf(provider.attach(described(request))), () -> detachLate(request)).stream().map(this::address).toList();
                List<String> texts = addresses.stream().map(InetAddress::getHostAddress).toList();
                records.write(entry.attachedAs(texts));
                return attachment(texts);
            } catch (RuntimeFault failure) {
                giveBack(entry, Optional.of(request.netns()), failure);
                throw failure;
            }
        }
    }

    // The record went with the failed attach, and nobody would ask for what an attach made that did not end in time.
    private void detachLate(AttachRequest request) throws Exception {
        if (records.find(request.sandboxId()).filter(AttachmentRecords.Entry::attached).isEmpty()) {
            provider.detach(described(request));
        }
    }

    // What cannot be taken back stays on record for the next detach.
    private void giveBack(AttachmentRecords.Entry entry, Optional<Path> netns, RuntimeFault because) {
        try {
            detach(entry, netns);
        } catch (RuntimeFault again) {
            because.addSuppressed(again);
        }
    }

    private InetAddress address(String text) {
        try {
            InetAddress address = InetAddress.ofLiteral(text);
            // The parser still takes 10.1 for 10.0.0.1.
            if (address instanceof Inet6Address || address.getHostAddress().equals(text)) {
                return address;
            }
        } catch (IllegalArgumentException e) {
            LOG.atDebug().addKeyValue("extension", name).setCause(e).log("no address");
        }
        throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, "attach by extension " + name + ": \"" + text
                + "\" is not an IP address");
    }

    private static Attachment attachment(List<String> addresses) {
        return new Attachment(addresses.stream().map(InetAddress::ofLiteral).toList(), List.of(), "{}");
    }

    private static PodInterface described(AttachRequest request) {
        return new PodInterface(request.sandboxId(), request.podNamespace(), request.podName(), request.podUid(),
                Optional.of(request.netns()), request.ports().stream().filter(port -> port.isPublished())
                        .map(port -> new PodInterface.Port(port.protocol().name(), port.hostPort(), port.containerPort(),
                                port.hostIp())).toList(), request.annotations());
    }

    @Override
    public void detach(DetachRequest request) {
        try (var held = locks.lock(request.sandboxId())) {
            records.find(request.sandboxId()).ifPresent(entry -> detach(entry, request.netns()));
        }
    }

    private void detach(AttachmentRecords.Entry entry, Optional<Path> netns) {
        guard.call("detach sandbox " + entry.sandboxId(), () -> {
            provider.detach(new PodInterface(entry.sandboxId(), entry.podNamespace(), entry.podName(), entry.podUid(), netns,
                    List.of(), Map.of()));
            return true;
        });
        records.remove(entry.sandboxId());
    }

    @Override
    public NetworkStatus status() {
        if (System.nanoTime() - askedAt > STATUS_AGE.toNanos() && asking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("status of extension " + name).start(() -> {
                try {
                    ask();
                } finally {
                    asking.set(false);
                }
            });
        }
        return status;
    }

    private void ask() {
        NetworkStatus now;
        try {
            String problem = guard.call("tell of its network", () -> String.valueOf(provider.problem()));
            now = problem.isEmpty() ? NetworkStatus.isReady() : NetworkStatus.notReady("extension " + name + ": " + problem);
        } catch (RuntimeFault fault) {
            now = NetworkStatus.notReady(fault.getMessage());
        }
        status = now;
        askedAt = System.nanoTime();
    }

    @Override
    public void reload() {
        ask();
    }

    @Override
    public Set<String> recover(Set<String> liveSandboxIds) {
        Set<String> left = new TreeSet<>();
        for (String id : records.ids()) {
            try (var held = locks.lock(id)) {
                // An unfinished one is nobody's: the RunPodSandbox of its sandbox did not end well.
                records.find(id).filter(entry -> !liveSandboxIds.contains(id) || !entry.attached())
                        .ifPresent(entry -> detach(entry, Optional.empty()));
            } catch (RuntimeFault stays) {
                left.add(id);
            }
        }
        return left;
    }

    @Override
    public Set<String> attached() {
        return records.ids();
    }

    @Override
    public void close() {
        // Its extension is told of the end by itself.
    }
}
