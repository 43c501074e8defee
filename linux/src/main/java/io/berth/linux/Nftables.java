package io.berth.linux;

/**
 * One table of nf_tables in the namespace that a {@link Netlink#netfilter()} socket belongs to. Thread-safe; does not own
 * the socket. Faults are {@link NetlinkFault}; on a kernel without nf_tables their error is EOPNOTSUPP or EINVAL.
 *
 * <p>Source: nft(8), the kernel's include/uapi/linux/netfilter/nf_tables.h; the messages are those that nft sends.
 */
public final class Nftables {

    /** The address family of a table, with what differs between the IP headers. */
    public enum Family {
        IPV4(2, 4, 12, 16, 7),
        IPV6(10, 16, 8, 24, 8);

        final int number;
        final int addressBytes;
        final int sourceOffset;
        final int destinationOffset;
        /** nft's number for the address type: only its listings use it. */
        final int listingType;

        Family(int number, int addressBytes, int sourceOffset, int destinationOffset, int listingType) {
            this.number = number;
            this.addressBytes = addressBytes;
            this.sourceOffset = sourceOffset;
            this.destinationOffset = destinationOffset;
            this.listingType = listingType;
        }
    }

    static final int SUBSYSTEM = 10;
    private static final int GET_TABLE = 1;
    private static final int TABLE_NAME = 1;

    final Netlink netlink;
    final Family family;
    final String table;

    public Nftables(Netlink netlink, Family family, String table) {
        this.netlink = netlink;
        this.family = family;
        this.table = table;
    }

    /** Whether the table is there; never on a kernel without nf_tables. */
    public boolean exists() {
        try {
            netlink.query(message("find table " + table, GET_TABLE, 0).attribute(TABLE_NAME, table));
            return true;
        } catch (NetlinkFault fault) {
            return switch (fault.errno()) {
                case Errno.ENOENT, Errno.EINVAL, Errno.EOPNOTSUPP -> false;
                default -> throw fault;
            };
        }
    }

    /** Begins a set of changes that take effect together or not at all. */
    public NftablesTransaction begin() {
        return new NftablesTransaction(this);
    }

    // struct nfgenmsg: family, version, resource id
    NetlinkMessage message(String action, int type, int flags) {
        return new NetlinkMessage(action, SUBSYSTEM << 8 | type, flags).u8(family.number).u8(0).u16(0);
    }
}
