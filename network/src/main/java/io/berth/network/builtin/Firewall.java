package io.berth.network.builtin;

import io.berth.base.RuntimeFault;
import io.berth.linux.Errno;
import io.berth.linux.Netlink;
import io.berth.linux.NetlinkConnections;
import io.berth.linux.NetlinkFault;
import io.berth.linux.Nftables;
import io.berth.linux.NftablesRule;
import io.berth.linux.NftablesTransaction;
import io.berth.linux.NftablesTransaction.Hook;
import io.berth.network.PortMapping;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * One nftables table of the built-in network: masquerade, and two maps from host ports to pods. Publishing a port adds an
 * entry, so its cost does not grow with the number of pods; an entry that is there already is another pod's. The kernel
 * carries each change out as a whole. Thread-safe; owns nothing but what is in the kernel.
 */
final class Firewall {

    private static final String PORTS = "ports";
    private static final String PORTS_BY_ADDRESS = "ports_by_address";
    private static final String TRANSLATE = "host_ports";
    private static final int BEFORE_TRACKING = -300;
    private static final int DESTINATION = -100;
    private static final int SOURCE = 100;

    /** An entry of one of the two maps. */
    private record Entry(PortMapping port, String map, byte[] key, byte[] data) {}

    private final BuiltinSettings settings;
    private final Subnet subnet;
    private final Nftables.Family family;
    private final Nftables tables;
    private final NetlinkConnections connections;

    /** The table for the pods' addresses in {@code subnet}. */
    Firewall(BuiltinSettings settings, Subnet subnet, Netlink netlink) {
        this.settings = settings;
        this.subnet = subnet;
        this.family = subnet.isIpv6() ? Nftables.Family.IPV6 : Nftables.Family.IPV4;
        this.tables = new Nftables(netlink, family, settings.table());
        this.connections = new NetlinkConnections(netlink);
    }

    /** Makes the table anew, with the ports of {@code leases}, in one step: no packet sees it without them. */
    synchronized void rebuild(Collection<Lease> leases) {
        NftablesTransaction change = tables.begin().addTable().deleteTable().addTable()
                .addPortMap(PORTS, false)
                .addPortMap(PORTS_BY_ADDRESS, true)
                .addChain(TRANSLATE)
                .addRule(TRANSLATE, rule().translateDestination(PORTS_BY_ADDRESS, true))
                .addRule(TRANSLATE, rule().translateDestination(PORTS, false))
                .addBaseChain("prerouting", "nat", Hook.PREROUTING, DESTINATION)
                .addRule("prerouting", rule().destinationIsLocal().jump(TRANSLATE))
                .addBaseChain("output", "nat", Hook.OUTPUT, DESTINATION)
                .addBaseChain("postrouting", "nat", Hook.POSTROUTING, SOURCE);
        loopback(change);
        change.addRule("output", rule().destinationIsLocal().jump(TRANSLATE));
        source(change);
        restore(leases, change);
        try {
            change.commit();
        } catch (NetlinkFault fault) {
            throw new RuntimeFault(RuntimeFault.Kind.UNSUPPORTED, "set up nftables table " + settings.table() + ": "
                    + RuntimeFault.reason(fault) + "; the kernel needs nf_tables with nat, masq and fib, or turn masquerade "
                    + "off and use no host ports", fault);
        }
    }

    // A key that two leases claim, one of them left by a crash, goes to the first: the table must come about.
    private void restore(Collection<Lease> leases, NftablesTransaction change) {
        Set<String> taken = new HashSet<>();
        for (Lease lease : leases) {
            for (Entry one : entries(lease)) {
                if (taken.add(one.map + HexFormat.of().formatHex(one.key))) {
                    change.addElement(one.map, one.key, one.data);
                }
            }
        }
    }

    private void loopback(NftablesTransaction change) {
        InetAddress loopback = InetAddress.ofLiteral(subnet.isIpv6() ? "::1" : "127.0.0.0");
        int prefix = subnet.isIpv6() ? 128 : 8;
        if (subnet.isIpv6() || !settings.loopbackHostPorts()) {
            // A packet with a loopback source cannot leave the machine: better refused than lost.
            change.addRule("output", rule().destination(loopback, prefix).leave());
            return;
        }
        // route_localnet lets loopback sources reach the pods, but would also let pods reach the host's loopback.
        change.addBaseChain("guard", "filter", Hook.PREROUTING, BEFORE_TRACKING)
                .addRule("guard", rule().from(settings.bridge()).destination(loopback, prefix).drop())
                .addRule("postrouting", rule().to(settings.bridge()).source(loopback, prefix).masquerade());
    }

    private void source(NftablesTransaction change) {
        InetAddress network = subnet.network();
        // A pod that comes to another (or itself) by a host port must get the answer from the host, not directly.
        change.addRule("postrouting", rule().to(settings.bridge()).source(network, subnet.prefix())
                .destinationWasTranslated().masquerade());
        if (settings.masquerade()) {
            InetAddress multicast = InetAddress.ofLiteral(subnet.isIpv6() ? "ff00::" : "224.0.0.0");
            change.addRule("postrouting", rule().source(network, subnet.prefix()).notTo(settings.bridge())
                    .destinationNot(multicast, subnet.isIpv6() ? 8 : 4).masquerade());
        }
    }

    private NftablesRule rule() {
        return new NftablesRule(family);
    }

    /** Whether the table is there: {@code nft flush ruleset} of other software removes it. */
    boolean exists() {
        return tables.exists();
    }

    /**
     * Publishes the lease's ports, all or none.
     *
     * @throws RuntimeFault ALREADY_EXISTS when another pod has one of them
     */
    synchronized void publish(Lease lease) {
        List<Entry> entries = entries(lease);
        if (entries.isEmpty()) {
            return;
        }
        NftablesTransaction change = tables.begin();
        entries.forEach(one -> change.addElement(one.map, one.key, one.data));
        try {
            change.commit();
            forgetStreams(entries);
        } catch (NetlinkFault fault) {
            if (fault.errno() == Errno.EEXIST) {
                throw new RuntimeFault(RuntimeFault.Kind.ALREADY_EXISTS, "publish host ports " + words(entries)
                        + ": another pod has one of them", fault);
            }
            throw RuntimeFault.during("publish host ports " + words(entries), fault);
        }
    }

    /** Takes the lease's ports back, those that are there. */
    synchronized void withdraw(Lease lease) {
        List<Entry> entries = entries(lease);
        for (Entry one : entries) {
            try {
                tables.begin().deleteElement(one.map, one.key).commit();
            } catch (NetlinkFault fault) {
                if (fault.errno() != Errno.ENOENT) {
                    throw fault;
                }
            }
        }
        forgetStreams(entries);
    }

    // A client that keeps sending would for ever be led past the new pod, or on to the old one's address.
    private void forgetStreams(List<Entry> entries) {
        entries.stream().map(Entry::port).filter(port -> port.protocol() == PortMapping.Protocol.UDP)
                .forEach(port -> connections.forget(family, port.protocol().number(), port.hostPort()));
    }

    /** Removes the table; nothing happens when it is not there. */
    synchronized void remove() {
        if (tables.exists()) {
            tables.begin().deleteTable().commit();
        }
    }

    private List<Entry> entries(Lease lease) {
        InetAddress pod = subnet.address(lease.index());
        List<Entry> found = new ArrayList<>();
        for (PortMapping port : lease.ports()) {
            byte[] data = ByteBuffer.allocate(pod.getAddress().length + 4)
                    .put(pod.getAddress()).putShort((short) port.containerPort()).array();
            var host = port.hostAddress();
            if (host.isEmpty()) {
                found.add(new Entry(port, PORTS, key(new byte[0], port), data));
            } else if (host.get().getAddress().length == pod.getAddress().length) {
                found.add(new Entry(port, PORTS_BY_ADDRESS, key(host.get().getAddress(), port), data));
            }
        }
        return found;
    }

    // The parts of a joined key each fill up to four bytes.
    private static byte[] key(byte[] address, PortMapping port) {
        return ByteBuffer.allocate(address.length + 8)
                .put(address)
                .put((byte) port.protocol().number()).put(new byte[3])
                .putShort((short) port.hostPort()).array();
    }

    private static String words(List<Entry> entries) {
        return String.join(", ", entries.stream().map(one -> one.port.protocol() + " "
                + (one.port.hostIp().isBlank() ? "" : one.port.hostIp() + ":") + one.port.hostPort()).toList());
    }
}
