package io.berth.linux;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A rule of nf_tables: conditions in order, then what happens to a packet that meets all. Not thread-safe.
 *
 * <p>Source: nft(8); the expressions are those that {@code nft --debug=netlink} shows for the same rule.
 */
public final class NftablesRule {

    /** The first 16-byte register. */
    private static final int REGISTER = 1;
    /** The first 4-byte register, the same memory as {@link #REGISTER}. */
    private static final int SMALL_REGISTER = 8;
    private static final int EQUAL = 0;
    private static final int NOT_EQUAL = 1;
    private static final int META_IN_NAME = 6;
    private static final int META_OUT_NAME = 7;
    private static final int META_PROTOCOL = 16;
    private static final int CT_STATUS = 2;
    private static final byte STATUS_DNAT = 0x20;
    private static final int NETWORK_HEADER = 1;
    private static final int TRANSPORT_HEADER = 2;
    private static final int FIB_TYPE = 3;
    private static final int FIB_DESTINATION = 2;
    private static final byte TYPE_LOCAL = 2;
    private static final int NAME_BYTES = 16;
    private static final int VERDICT_DROP = 0;
    private static final int VERDICT_RETURN = -5;
    private static final int VERDICT_JUMP = -3;

    private record Expression(String name, Consumer<NetlinkMessage> content) {}

    private final Nftables.Family family;
    private final List<Expression> expressions = new ArrayList<>();

    /** An empty rule for a table of {@code family}. */
    public NftablesRule(Nftables.Family family) {
        this.family = family;
    }

    /** The packet came in by the interface. */
    public NftablesRule from(String interfaceName) {
        return meta(META_IN_NAME, REGISTER).compare(EQUAL, nameBytes(interfaceName));
    }

    /** The packet goes out by the interface. */
    public NftablesRule to(String interfaceName) {
        return meta(META_OUT_NAME, REGISTER).compare(EQUAL, nameBytes(interfaceName));
    }

    /** The packet goes out by another interface. */
    public NftablesRule notTo(String interfaceName) {
        return meta(META_OUT_NAME, REGISTER).compare(NOT_EQUAL, nameBytes(interfaceName));
    }

    /** The source address is in the subnet. */
    public NftablesRule source(InetAddress network, int prefix) {
        return address(family.sourceOffset, EQUAL, network, prefix);
    }

    /** The destination address is in the subnet. */
    public NftablesRule destination(InetAddress network, int prefix) {
        return address(family.destinationOffset, EQUAL, network, prefix);
    }

    /** The destination address is not in the subnet. */
    public NftablesRule destinationNot(InetAddress network, int prefix) {
        return address(family.destinationOffset, NOT_EQUAL, network, prefix);
    }

    /** The destination is an address of this machine. */
    public NftablesRule destinationIsLocal() {
        return add("fib", e -> e.big32(1, REGISTER).big32(2, FIB_TYPE).big32(3, FIB_DESTINATION))
                .compare(EQUAL, new byte[] {TYPE_LOCAL, 0, 0, 0});
    }

    /** The connection's destination was translated. */
    public NftablesRule destinationWasTranslated() {
        return add("ct", e -> e.big32(1, REGISTER).big32(2, CT_STATUS))
                .masked(new byte[] {STATUS_DNAT, 0, 0, 0})
                .compare(NOT_EQUAL, new byte[4]);
    }

    /** Drops the packet. */
    public NftablesRule drop() {
        return verdict(v -> v.big32(1, VERDICT_DROP));
    }

    /** Leaves the chain. */
    public NftablesRule leave() {
        return verdict(v -> v.big32(1, VERDICT_RETURN));
    }

    /** Goes through another chain of the table and comes back. */
    public NftablesRule jump(String chain) {
        return verdict(v -> v.big32(1, VERDICT_JUMP).attribute(2, chain));
    }

    /** Replaces the source address by that of the interface by which the packet goes out. */
    public NftablesRule masquerade() {
        return add("masq", e -> {});
    }

    /**
     * Sends the packet on to what the map names for its protocol and destination port; without an entry the rule ends.
     *
     * @param byAddress whether the map's key begins with the destination address
     */
    public NftablesRule translateDestination(String map, boolean byAddress) {
        int after = SMALL_REGISTER + family.addressBytes / 4;
        int protocol = byAddress ? after : SMALL_REGISTER;
        if (byAddress) {
            payload(NETWORK_HEADER, family.destinationOffset, family.addressBytes, REGISTER);
        }
        meta(META_PROTOCOL, protocol);
        payload(TRANSPORT_HEADER, 2, 2, protocol + 1);
        add("lookup", e -> e.attribute(1, map).big32(2, SMALL_REGISTER).big32(3, SMALL_REGISTER));
        return add("nat", e -> e.big32(1, 1).big32(2, family.number).big32(3, SMALL_REGISTER).big32(5, after));
    }

    private NftablesRule address(int offset, int operator, InetAddress network, int prefix) {
        byte[] mask = mask(family.addressBytes, prefix);
        return payload(NETWORK_HEADER, offset, family.addressBytes, REGISTER)
                .masked(mask)
                .compare(operator, network.getAddress());
    }

    static byte[] mask(int bytes, int prefix) {
        byte[] mask = new byte[bytes];
        for (int bit = 0; bit < prefix; bit++) {
            mask[bit / 8] |= (byte) (0x80 >> bit % 8);
        }
        return mask;
    }

    private static byte[] nameBytes(String interfaceName) {
        return Arrays.copyOf(interfaceName.getBytes(StandardCharsets.UTF_8), NAME_BYTES);
    }

    private NftablesRule meta(int key, int register) {
        return add("meta", e -> e.big32(2, key).big32(1, register));
    }

    private NftablesRule payload(int base, int offset, int length, int register) {
        return add("payload", e -> e.big32(1, register).big32(2, base).big32(3, offset).big32(4, length));
    }

    private NftablesRule compare(int operator, byte[] value) {
        return add("cmp", e -> e.big32(1, REGISTER).big32(2, operator).nest(3, data -> data.attribute(1, value)));
    }

    private NftablesRule masked(byte[] mask) {
        return add("bitwise", e -> e.big32(1, REGISTER).big32(2, REGISTER).big32(3, mask.length)
                .nest(4, data -> data.attribute(1, mask))
                .nest(5, data -> data.attribute(1, new byte[mask.length])));
    }

    private NftablesRule verdict(Consumer<NetlinkMessage> verdict) {
        return add("immediate", e -> e.big32(1, 0).nest(2, data -> data.nest(2, verdict)));
    }

    private NftablesRule add(String name, Consumer<NetlinkMessage> content) {
        expressions.add(new Expression(name, content));
        return this;
    }

    void write(NetlinkMessage message) {
        for (Expression one : expressions) {
            message.nest(1, entry -> entry.attribute(1, one.name).nest(2, one.content));
        }
    }
}
