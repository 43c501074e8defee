package io.berth.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Network interfaces of the namespace that a {@link Netlink#route()} socket belongs to. Thread-safe; does not own the
 * socket. Faults are {@link NetlinkFault}. Source: rtnetlink(7), the kernel's include/uapi/linux/if_link.h.
 */
public final class Links {

    private static final int RTM_NEWLINK = 16;
    private static final int RTM_DELLINK = 17;
    private static final int RTM_GETLINK = 18;
    private static final int IFF_UP = 1;
    private static final int IFLA_ADDRESS = 1;
    private static final int IFLA_IFNAME = 3;
    private static final int IFLA_MTU = 4;
    private static final int IFLA_MASTER = 10;
    private static final int IFLA_LINKINFO = 18;
    private static final int IFLA_STATS64 = 23;
    private static final int IFLA_NET_NS_FD = 28;
    private static final int INFO_KIND = 1;
    private static final int INFO_DATA = 2;
    private static final int INFO_SLAVE_KIND = 4;
    private static final int INFO_SLAVE_DATA = 5;
    private static final int VETH_INFO_PEER = 1;
    private static final int BRPORT_MODE = 4;
    private static final int IFINFOMSG_BYTES = 16;
    private static final int LOOPBACK_INDEX = 1;
    private static final int RTM_NEWQDISC = 36;
    private static final int ROOT_PARENT = -1;
    private static final int TCA_KIND = 1;
    private static final int TCA_OPTIONS = 2;
    private static final int TBF_PARAMETERS = 1;
    private static final int TBF_RATE64 = 4;
    private static final int TBF_BURST = 6;
    private static final long BUCKET_MILLIS = 20;
    private static final long QUEUE_MILLIS = 50;
    /** A segmented packet of the largest size must fit, or it would never be sent. */
    private static final long LEAST_BUCKET_BYTES = 128 * 1024;
    private static final long MOST_BUCKET_BYTES = 64 * 1024 * 1024;

    /**
     * An interface.
     *
     * @param mac six bytes in hexadecimal with colons, empty when it has none
     * @param masterIndex of the bridge that it is a port of, 0 for none
     * @param kind for instance {@code bridge} or {@code veth}, empty for devices
     * @param traffic since it was made
     */
    public record Link(
            int index, String name, String mac, int mtu, boolean up, int masterIndex, String kind, Traffic traffic) {}

    /** Counters of an interface. */
    public record Traffic(long rxBytes, long rxPackets, long rxErrors, long txBytes, long txPackets, long txErrors) {}

    /**
     * A pair of interfaces: one here, up from the start, and one in another namespace, still down.
     *
     * @param hostName its name here
     * @param bridgeIndex the bridge that it becomes a port of
     * @param peerName its name in the other namespace
     * @param peerMac hardware address there
     * @param mtu of both, 0 for the kernel's default
     */
    public record VethPair(String hostName, int bridgeIndex, String peerName, String peerMac, int mtu) {}

    private final Netlink netlink;

    public Links(Netlink netlink) {
        this.netlink = netlink;
    }

    /** Brings {@code lo} of the calling thread's namespace up; to be called in a new network namespace. */
    public static void loopbackUp() {
        try (Netlink own = Netlink.route()) {
            new Links(own).up(LOOPBACK_INDEX);
        }
    }

    /** The interface called {@code name}. */
    public Optional<Link> find(String name) {
        return find(link("find interface " + name, RTM_GETLINK, 0, 0, 0).attribute(IFLA_IFNAME, name));
    }

    /** The interface numbered {@code index}. */
    public Optional<Link> find(int index) {
        return find(link("find interface " + index, RTM_GETLINK, 0, index, 0));
    }

    private Optional<Link> find(NetlinkMessage request) {
        try {
            return Optional.of(read(netlink.query(request)));
        } catch (NetlinkFault fault) {
            if (fault.errno() == Errno.ENODEV) {
                return Optional.empty();
            }
            throw fault;
        }
    }

    /** All interfaces. */
    public List<Link> all() {
        return netlink.dump(link("list interfaces", RTM_GETLINK, 0, 0, 0)).stream().map(Links::read).toList();
    }

    /** Makes a bridge that is up and keeps its hardware address whatever its ports. */
    public void createBridge(String name, String mac, int mtu) {
        NetlinkMessage message = link("create bridge " + name, RTM_NEWLINK, exclusive(), 0, IFF_UP)
                .attribute(IFLA_IFNAME, name)
                .attribute(IFLA_ADDRESS, macBytes(mac));
        mtu(message, mtu);
        netlink.request(message.nest(IFLA_LINKINFO, info -> info.attribute(INFO_KIND, "bridge")));
    }

    /** Makes the pair with its peer directly in {@code peerNamespace}, in one request. */
    public void createVeth(VethPair pair, Fd peerNamespace) {
        NetlinkMessage message = link("create interface " + pair.hostName, RTM_NEWLINK, exclusive(), 0, IFF_UP)
                .attribute(IFLA_IFNAME, pair.hostName)
                .attribute32(IFLA_MASTER, pair.bridgeIndex);
        mtu(message, pair.mtu);
        netlink.request(message.nest(IFLA_LINKINFO, info -> info
                .attribute(INFO_KIND, "veth")
                .nest(INFO_DATA, data -> data.nest(VETH_INFO_PEER, peer -> {
                    // Not up yet: the kernel opens the peer before the two know of each other, and fails.
                    header(peer, 0, 0)
                            .attribute(IFLA_IFNAME, pair.peerName)
                            .attribute(IFLA_ADDRESS, macBytes(pair.peerMac))
                            .attribute32(IFLA_NET_NS_FD, peerNamespace.number());
                    mtu(peer, pair.mtu);
                }))));
    }

    /** Lets the bridge port send frames back out of where they came from: a pod that reaches itself by a host port. */
    public void hairpin(String port) {
        netlink.request(link("set hairpin of " + port, RTM_NEWLINK, 0, 0, 0)
                .attribute(IFLA_IFNAME, port)
                .nest(IFLA_LINKINFO, info -> info
                        .attribute(INFO_SLAVE_KIND, "bridge")
                        .nest(INFO_SLAVE_DATA, data -> data.attribute8(BRPORT_MODE, 1))));
    }

    /** Makes the interface a port of the bridge; its hairpin mode is off then. */
    public void join(int index, int bridgeIndex) {
        netlink.request(link("make interface " + index + " a bridge port", RTM_NEWLINK, 0, index, 0)
                .attribute32(IFLA_MASTER, bridgeIndex));
    }

    /**
     * Limits what the interface sends to {@code bitsPerSecond} (a token bucket filter). Source: tc-tbf(8).
     */
    public void limit(int index, long bitsPerSecond) {
        long bytes = Math.max(1, bitsPerSecond / 8);
        int burst = (int) Math.clamp(bytes * BUCKET_MILLIS / 1000, LEAST_BUCKET_BYTES, MOST_BUCKET_BYTES);
        int waiting = (int) Math.clamp(bytes * QUEUE_MILLIS / 1000 + burst, 2L * burst, 2L * MOST_BUCKET_BYTES);
        // struct tc_tbf_qopt: the rate (link layer 1 is Ethernet), no peak rate, queue, bucket in ticks (by BURST), mtu
        ByteBuffer parameters = ByteBuffer.allocate(36).order(ByteOrder.nativeOrder())
                .put(1, (byte) 1).putInt(8, (int) Math.min(bytes, 0xffffffffL)).putInt(24, waiting);
        ByteBuffer rate = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(0, bytes);
        netlink.request(new NetlinkMessage("limit interface " + index + " to " + bitsPerSecond + " bits per second",
                RTM_NEWQDISC, NetlinkMessage.CREATE | NetlinkMessage.REPLACE)
                .u8(0).u8(0).u16(0).u32(index).u32(1 << 16).u32(ROOT_PARENT).u32(0)
                .attribute(TCA_KIND, "tbf")
                .nest(TCA_OPTIONS, options -> options
                        .attribute(TBF_PARAMETERS, parameters.array())
                        .attribute(TBF_RATE64, rate.array())
                        .attribute32(TBF_BURST, burst)));
    }

    /** Sets the interface up. */
    public void up(int index) {
        netlink.request(link("set interface " + index + " up", RTM_NEWLINK, 0, index, IFF_UP));
    }

    /** Sets the interface down; false when there is none. */
    public boolean down(String name) {
        return untilGone(header(new NetlinkMessage("set interface " + name + " down", RTM_NEWLINK, 0), 0, 0, IFF_UP)
                .attribute(IFLA_IFNAME, name));
    }

    /** Deletes the interface (of a pair both sides); false when there is none. Takes some ten milliseconds for veth. */
    public boolean delete(String name) {
        return untilGone(link("delete interface " + name, RTM_DELLINK, 0, 0, 0).attribute(IFLA_IFNAME, name));
    }

    private boolean untilGone(NetlinkMessage request) {
        try {
            netlink.request(request);
            return true;
        } catch (NetlinkFault fault) {
            if (fault.errno() == Errno.ENODEV) {
                return false;
            }
            throw fault;
        }
    }

    private static int exclusive() {
        return NetlinkMessage.CREATE | NetlinkMessage.EXCLUSIVE;
    }

    private static void mtu(NetlinkMessage message, int mtu) {
        if (mtu > 0) {
            message.attribute32(IFLA_MTU, mtu);
        }
    }

    private static NetlinkMessage link(String action, int type, int flags, int index, int interfaceFlags) {
        return header(new NetlinkMessage(action, type, flags), index, interfaceFlags);
    }

    private static NetlinkMessage header(NetlinkMessage message, int index, int flags) {
        return header(message, index, flags, flags);
    }

    // struct ifinfomsg: family, padding, type, index, flags, mask of the flags to change
    private static NetlinkMessage header(NetlinkMessage message, int index, int flags, int change) {
        return message.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(change);
    }

    static byte[] macBytes(String mac) {
        return HexFormat.ofDelimiter(":").parseHex(mac);
    }

    private static Link read(Netlink.Answer answer) {
        ByteBuffer fixed = ByteBuffer.wrap(answer.payload()).order(ByteOrder.nativeOrder());
        NetlinkAttributes attributes = NetlinkAttributes.read(answer.payload(), IFINFOMSG_BYTES);
        return new Link(
                fixed.getInt(4),
                attributes.text(IFLA_IFNAME),
                HexFormat.ofDelimiter(":").formatHex(attributes.bytes(IFLA_ADDRESS)),
                attributes.number(IFLA_MTU),
                (fixed.getInt(8) & IFF_UP) != 0,
                attributes.number(IFLA_MASTER),
                attributes.nested(IFLA_LINKINFO).text(INFO_KIND),
                traffic(attributes.bytes(IFLA_STATS64)));
    }

    // struct rtnl_link_stats64: rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, ...
    private static Traffic traffic(byte[] stats) {
        if (stats.length < 48) {
            return new Traffic(0, 0, 0, 0, 0, 0);
        }
        ByteBuffer numbers = ByteBuffer.wrap(stats).order(ByteOrder.nativeOrder());
        return new Traffic(numbers.getLong(16), numbers.getLong(0), numbers.getLong(32),
                numbers.getLong(24), numbers.getLong(8), numbers.getLong(40));
    }
}
