package io.berth.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * Changes of one nf_tables table that take effect together at {@link #commit()}. Not thread-safe; used once.
 *
 * <p>Source: nft(8), the kernel's include/uapi/linux/netfilter/nf_tables.h.
 */
public final class NftablesTransaction {

    private static final int BATCH_BEGIN = 0x10;
    private static final int BATCH_END = 0x11;
    private static final int NEW_TABLE = 0;
    private static final int DELETE_TABLE = 2;
    private static final int NEW_CHAIN = 3;
    private static final int NEW_RULE = 6;
    private static final int NEW_SET = 9;
    private static final int NEW_ELEMENT = 12;
    private static final int DELETE_ELEMENT = 14;
    private static final int NAME_1 = 1;
    private static final int NAME_2 = 2;
    private static final int VALUE = 1;
    private static final int LIST_ENTRY = 1;
    private static final int SET_IS_MAP = 8;
    /** nft's numbers for types and how it joins them: only its listings use them. */
    private static final int TYPE_BITS = 6;
    private static final int TYPE_PROTOCOL = 12;
    private static final int TYPE_PORT = 13;

    /** Where a base chain sees packets. */
    public enum Hook {
        PREROUTING(0),
        OUTPUT(3),
        POSTROUTING(4);

        private final int number;

        Hook(int number) {
            this.number = number;
        }
    }

    private final Nftables tables;
    private final List<NetlinkMessage> messages = new ArrayList<>();
    private int nextSetId = 1;

    NftablesTransaction(Nftables tables) {
        this.tables = tables;
        messages.add(frame("begin transaction", BATCH_BEGIN));
    }

    // The frame's resource id is the subsystem in network byte order.
    private static NetlinkMessage frame(String action, int type) {
        return new NetlinkMessage(action, type, 0).u8(0).u8(0).u8(0).u8(Nftables.SUBSYSTEM);
    }

    /** Makes the table unless it is there. */
    public NftablesTransaction addTable() {
        return add(message("add table " + tables.table, NEW_TABLE, NetlinkMessage.CREATE).attribute(NAME_1, tables.table));
    }

    /** Deletes the table, which must be there, with all in it. */
    public NftablesTransaction deleteTable() {
        return add(message("delete table " + tables.table, DELETE_TABLE, 0).attribute(NAME_1, tables.table));
    }

    /** Makes a chain that others jump to. */
    public NftablesTransaction addChain(String name) {
        return add(chain(name));
    }

    /**
     * Makes a chain that the kernel calls; what it does not decide is accepted.
     *
     * @param type {@code filter} or {@code nat}
     */
    public NftablesTransaction addBaseChain(String name, String type, Hook hook, int priority) {
        return add(chain(name)
                .nest(4, where -> where.big32(1, hook.number).big32(2, priority))
                .attribute(7, type));
    }

    private NetlinkMessage chain(String name) {
        return message("add chain " + name, NEW_CHAIN, NetlinkMessage.CREATE)
                .attribute(NAME_1, tables.table)
                .attribute(3, name);
    }

    /** Appends a rule to a chain. */
    public NftablesTransaction addRule(String chain, NftablesRule rule) {
        return add(message("add rule to chain " + chain, NEW_RULE, NetlinkMessage.CREATE | NetlinkMessage.APPEND)
                .attribute(NAME_1, tables.table)
                .attribute(NAME_2, chain)
                .nest(4, rule::write));
    }

    /**
     * Makes a map from transport protocol and port to address and port.
     *
     * @param byAddress whether the key begins with the destination address
     */
    public NftablesTransaction addPortMap(String name, boolean byAddress) {
        int address = tables.family.addressBytes;
        int ports = TYPE_PROTOCOL << TYPE_BITS | TYPE_PORT;
        return add(message("add map " + name, NEW_SET, NetlinkMessage.CREATE)
                .attribute(NAME_1, tables.table)
                .attribute(NAME_2, name)
                .big32(3, SET_IS_MAP)
                .big32(4, byAddress ? tables.family.listingType << 2 * TYPE_BITS | ports : ports)
                .big32(5, (byAddress ? address : 0) + 8)
                .big32(6, tables.family.listingType << TYPE_BITS | TYPE_PORT)
                .big32(7, address + 4)
                .big32(10, nextSetId++));
    }

    /** Adds an entry to a map; the commit fails with EEXIST when the key is there already. */
    public NftablesTransaction addElement(String map, byte[] key, byte[] data) {
        int flags = NetlinkMessage.CREATE | NetlinkMessage.EXCLUSIVE;
        return add(elements("add entry to map " + map, NEW_ELEMENT, flags, map)
                .nest(3, list -> list.nest(LIST_ENTRY, entry -> entry
                        .nest(1, k -> k.attribute(VALUE, key))
                        .nest(2, d -> d.attribute(VALUE, data)))));
    }

    /** Deletes an entry of a map; the commit fails with ENOENT when it is not there. */
    public NftablesTransaction deleteElement(String map, byte[] key) {
        return add(elements("delete entry of map " + map, DELETE_ELEMENT, 0, map)
                .nest(3, list -> list.nest(LIST_ENTRY, entry -> entry.nest(1, k -> k.attribute(VALUE, key)))));
    }

    private NetlinkMessage elements(String action, int type, int flags, String map) {
        return message(action, type, flags).attribute(NAME_1, tables.table).attribute(NAME_2, map);
    }

    private NetlinkMessage message(String action, int type, int flags) {
        return tables.message(action, type, flags);
    }

    private NftablesTransaction add(NetlinkMessage message) {
        messages.add(message);
        return this;
    }

    /** Makes all changes, or none and tells of the first that cannot be made. */
    public void commit() {
        messages.add(frame("end transaction", BATCH_END));
        tables.netlink.batch(messages, true);
    }
}
