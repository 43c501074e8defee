package io.berth.network.builtin;

import io.berth.base.KeyedLocks;
import io.berth.base.RuntimeFault;
import io.berth.base.UndoStack;
import io.berth.linux.Links;
import io.berth.linux.Netlink;
import io.berth.linux.PlatformThreads;
import io.berth.linux.Routes;
import io.berth.network.AttachRequest;
import io.berth.network.Attachment;
import io.berth.network.Bandwidth;
import io.berth.network.DetachRequest;
import io.berth.network.NetworkStatus;
import io.berth.network.PodNetwork;
import io.berth.network.PortMapping;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The built-in network: a bridge, a veth pair for each pod, addresses from files, masquerade and host ports in an nftables
 * table of its own. No program is run and nothing beside the kernel is needed.
 *
 * <p>It turns {@code net.ipv4.ip_forward} on (with an IPv6 subnet also {@code net.ipv6.conf.all.forwarding}) and leaves it
 * on. A host firewall that drops forwarded packets by policy must let the bridge through.
 *
 * <p>Bridge and table outlive {@link #close()}; {@link #teardown()} removes them. Both are made again when something else
 * removed them.
 */
public final class BuiltinNetwork implements PodNetwork {

    private static final Logger LOG = LoggerFactory.getLogger(BuiltinNetwork.class);

    private final BuiltinSettings settings;
    private final Netlink route;
    private final Netlink netfilter;
    private final Links links;
    private final Ipam ipam;
    private final Bridge bridge;
    private final HostRules rules;
    private final KeyedLocks<String> locks = new KeyedLocks<>();
    private volatile int bridgeIndex;
    private volatile Optional<RuntimeFault> problem = Optional.empty();

    private BuiltinNetwork(BuiltinSettings settings) {
        this.settings = settings;
        this.ipam = new Ipam(settings.stateDir().resolve("ipam"), settings.subnet());
        this.route = Netlink.route();
        this.netfilter = Netlink.netfilter();
        this.links = new Links(route);
        this.bridge = new Bridge(settings, links, new Routes(route));
        this.rules = new HostRules(settings, netfilter, ipam.all());
    }

    /**
     * Opens the network, with the leases that an earlier process left, and prepares bridge and table. What cannot be
     * prepared is told by {@link #status()}, and tried again with the next attach or {@link #reload()}.
     *
     * @throws RuntimeFault INVALID_ARGUMENT for settings that cannot be
     */
    public static BuiltinNetwork open(BuiltinSettings settings) {
        requireFitting(settings);
        return PlatformThreads.call(() -> {
            BuiltinNetwork network = new BuiltinNetwork(settings);
            network.reload();
            return network;
        });
    }

    private static void requireFitting(BuiltinSettings settings) {
        if (settings.subnet().isIpv6()) {
            throw RuntimeFault.invalid("open built-in network: subnet " + settings.subnet() + " is not IPv4");
        }
        settings.subnet6().ifPresent(subnet -> {
            if (!subnet.isIpv6() || subnet.lastIndex() < settings.subnet().lastIndex()) {
                throw RuntimeFault.invalid("open built-in network: IPv6 subnet " + subnet
                        + " has fewer addresses than " + settings.subnet());
            }
        });
    }

    @Override
    public void reload() {
        PlatformThreads.call(() -> {
            try {
                rejoin(bridge.prepare());
                rules.rebuild();
                problem = Optional.empty();
            } catch (RuntimeFault fault) {
                problem = Optional.of(fault);
            }
            return true;
        });
    }

    // Pods that are attached lost their bridge with it when something else deleted it.
    private void rejoin(int index) {
        for (Lease lease : ipam.all()) {
            links.find(lease.hostInterface()).filter(link -> link.masterIndex() != index)
                    .ifPresent(link -> {
                        links.join(link.index(), index);
                        links.hairpin(link.name());
                    });
        }
        bridgeIndex = index;
    }

    @Override
    public Attachment attach(AttachRequest request) {
        return PlatformThreads.call(() -> {
            try (var _ = locks.lock(request.sandboxId())) {
                return attachLocked(request);
            }
        });
    }

    private Attachment attachLocked(AttachRequest request) {
        if (problem.isPresent()) {
            reload();
            problem.ifPresent(fault -> {
                throw new RuntimeFault(RuntimeFault.Kind.UNAVAILABLE, RuntimeFault.reason(fault), fault);
            });
        }
        // What cannot be read is refused before anything is made.
        request.ports().forEach(PortMapping::hostAddress);
        Optional<Bandwidth> bandwidth = Bandwidth.of(request.annotations());
        int index = bridge.ensure();
        if (index != bridgeIndex) {
            rejoin(index);
        }
        Optional<Lease> earlier = ipam.of(request.sandboxId());
        if (earlier.isPresent()) {
            VethAttachment there = new VethAttachment(settings, links, earlier.get());
            if (there.isComplete(request.netns())) {
                republish(earlier.get(), request);
                bandwidth.ifPresent(limits -> there.limit(request.netns(), limits));
                return there.result(request.netns());
            }
            detachLocked(request.sandboxId());
        }
        ipam.sweep(this::isGone);
        return attachNew(request, index, bandwidth);
    }

    // One that was attached ahead has the ports of no pod yet.
    private void republish(Lease earlier, AttachRequest request) {
        Lease wanted = Lease.of(request.sandboxId(), earlier.index(), request.ports());
        if (!wanted.equals(earlier)) {
            ipam.replace(earlier, wanted);
            rules.withdraw(earlier);
            try {
                rules.publish(wanted);
            } catch (RuntimeFault fault) {
                throw RuntimeFault.during("attach sandbox " + request.sandboxId(), fault);
            }
        }
    }

    private Attachment attachNew(AttachRequest request, int index, Optional<Bandwidth> bandwidth) {
        try (UndoStack undo = new UndoStack("AttachNetwork")) {
            Lease lease = ipam.take(request.sandboxId(), request.ports());
            undo.push("release address", () -> ipam.release(lease));
            VethAttachment veth = new VethAttachment(settings, links, lease);
            undo.push("delete interface", () -> links.delete(lease.hostInterface()));
            veth.create(request.netns(), index, bandwidth);
            rules.publish(lease);
            undo.push("withdraw host ports", () -> rules.withdraw(lease));
            Attachment result = veth.result(request.netns());
            undo.commit();
            return result;
        } catch (RuntimeFault fault) {
            throw RuntimeFault.during("attach sandbox " + request.sandboxId(), fault);
        }
    }

    @Override
    public boolean attachesAhead() {
        return true;
    }

    private boolean isGone(String interfaceName) {
        return links.find(interfaceName).isEmpty();
    }

    @Override
    public void detach(DetachRequest request) {
        PlatformThreads.call(() -> {
            try (var _ = locks.lock(request.sandboxId())) {
                detachLocked(request.sandboxId());
                return true;
            }
        });
    }

    private void detachLocked(String sandboxId) {
        Optional<Lease> lease = ipam.of(sandboxId);
        if (lease.isEmpty()) {
            return;
        }
        rules.withdraw(lease.get());
        links.down(lease.get().hostInterface());
        // Deleting the interface would wait for the kernel's grace periods: it goes with the namespace, and the address
        // stays reserved until then.
        ipam.release(lease.get());
    }

    @Override
    public void check(AttachRequest request) {
        PlatformThreads.call(() -> {
            Lease lease = ipam.of(request.sandboxId()).orElseThrow(() -> RuntimeFault.notFound(
                    "check network of sandbox " + request.sandboxId() + ": it is not attached"));
            if (!new VethAttachment(settings, links, lease).isComplete(request.netns())) {
                throw RuntimeFault.precondition("check network of sandbox " + request.sandboxId()
                        + ": its interface or address is gone");
            }
            return true;
        });
    }

    @Override
    public NetworkStatus status() {
        return problem.map(fault -> NetworkStatus.notReady(RuntimeFault.reason(fault))).orElse(NetworkStatus.isReady());
    }

    @Override
    public Set<String> recover(Set<String> liveSandboxIds) {
        return PlatformThreads.call(() -> {
            Set<String> left = new HashSet<>();
            for (Lease lease : ipam.all()) {
                if (!liveSandboxIds.contains(lease.sandboxId())) {
                    try (var _ = locks.lock(lease.sandboxId())) {
                        detachLocked(lease.sandboxId());
                    } catch (RuntimeFault fault) {
                        LOG.atWarn().addKeyValue("pod", lease.sandboxId()).setCause(fault).log("leftover not detached");
                        left.add(lease.sandboxId());
                    }
                }
            }
            ipam.sweep(this::isGone);
            if (problem.isEmpty()) {
                // A process that died while it attached may have left ports that a live pod has too.
                rules.rebuild();
            }
            return left;
        });
    }

    @Override
    public Set<String> attached() {
        return ipam.all().stream().map(Lease::sandboxId).collect(Collectors.toSet());
    }

    @Override
    public void close() {
        route.close();
        netfilter.close();
    }

    /** Removes table, bridge and the files of free addresses, then closes. Pods that are attached lose their network. */
    public void teardown() {
        PlatformThreads.call(() -> {
            rules.remove();
            bridge.remove();
            ipam.sweep(interfaceName -> {
                links.delete(interfaceName);
                return true;
            });
            close();
            return true;
        });
    }
}
