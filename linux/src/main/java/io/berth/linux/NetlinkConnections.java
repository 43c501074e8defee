package io.berth.linux;

/**
 * The tracked connections of the namespace that a {@link Netlink#netfilter()} socket belongs to. Thread-safe; does not own
 * the socket. Source: conntrack(8), the kernel's include/uapi/linux/netfilter/nfnetlink_conntrack.h.
 */
public final class NetlinkConnections {

    private static final int SUBSYSTEM = 1;
    private static final int DELETE = 2;
    private static final int TUPLE_ORIGINAL = 1;
    private static final int TUPLE_PROTOCOL = 2;
    private static final int PROTOCOL_NUMBER = 1;
    private static final int PROTOCOL_DESTINATION_PORT = 3;
    private static final int FILTER = 25;
    private static final int FILTER_ORIGINAL_FLAGS = 1;
    private static final int BY_PROTOCOL_AND_DESTINATION_PORT = 1 << 3 | 1 << 5;

    private final Netlink netlink;

    public NetlinkConnections(Netlink netlink) {
        this.netlink = netlink;
    }

    /**
     * Forgets the connections to a port, so that the next packet of each is translated anew. A stream without an end, as
     * UDP has, would else go on to where it went before.
     *
     * @return false when the kernel (before 6.8) cannot choose connections by port
     */
    public boolean forget(Nftables.Family family, int protocol, int destinationPort) {
        try {
            netlink.request(new NetlinkMessage("forget connections to port " + destinationPort, SUBSYSTEM << 8 | DELETE, 0)
                    .u8(family.number).u8(0).u16(0)
                    .nest(TUPLE_ORIGINAL, tuple -> tuple.nest(TUPLE_PROTOCOL, part -> part
                            .attribute8(PROTOCOL_NUMBER, protocol)
                            .big16(PROTOCOL_DESTINATION_PORT, destinationPort)))
                    .nest(FILTER, filter -> filter.attribute32(FILTER_ORIGINAL_FLAGS, BY_PROTOCOL_AND_DESTINATION_PORT)));
            return true;
        } catch (NetlinkFault fault) {
            // Older kernels take the half tuple for a whole one, and find it wanting; they never delete more than asked.
            return switch (fault.errno()) {
                case Errno.EOPNOTSUPP, Errno.EINVAL, Errno.ENOENT -> false;
                default -> throw fault;
            };
        }
    }
}
