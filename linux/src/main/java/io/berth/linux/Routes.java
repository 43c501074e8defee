package io.berth.linux;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Addresses and routes of the namespace that a {@link Netlink#route()} socket belongs to. Thread-safe; does not own the
 * socket. Faults are {@link NetlinkFault}. Source: rtnetlink(7).
 */
public final class Routes {

    private static final int RTM_NEWADDR = 20;
    private static final int RTM_GETADDR = 22;
    private static final int RTM_NEWROUTE = 24;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int IFA_ADDRESS = 1;
    private static final int IFA_LOCAL = 2;
    private static final int IFA_BROADCAST = 4;
    private static final int IFA_FLAGS = 8;
    private static final int IFA_F_NODAD = 2;
    private static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int TABLE_MAIN = 254;
    private static final int PROTOCOL_BOOT = 3;
    private static final int TYPE_UNICAST = 1;

    /** An address of an interface. */
    public record InterfaceAddress(int linkIndex, InetAddress address, int prefix) {}

    private final Netlink netlink;

    public Routes(Netlink netlink) {
        this.netlink = netlink;
    }

    /** Gives the interface an address with the route to its subnet. */
    public void addAddress(int linkIndex, InetAddress address, int prefix) {
        byte[] bytes = address.getAddress();
        NetlinkMessage message = new NetlinkMessage("add address " + address.getHostAddress() + "/" + prefix,
                RTM_NEWADDR, NetlinkMessage.CREATE | NetlinkMessage.EXCLUSIVE)
                .u8(family(address)).u8(prefix).u8(0).u8(0).u32(linkIndex)
                .attribute(IFA_LOCAL, bytes)
                .attribute(IFA_ADDRESS, bytes);
        if (address instanceof Inet6Address) {
            // The address is ours alone: without duplicate address detection it is usable at once, not after a second.
            message.attribute32(IFA_FLAGS, IFA_F_NODAD);
        } else {
            message.attribute(IFA_BROADCAST, broadcast(bytes, prefix));
        }
        netlink.request(message);
    }

    /** Sends everything without a better route to {@code gateway}. */
    public void addDefaultRoute(InetAddress gateway, int linkIndex) {
        netlink.request(new NetlinkMessage("add default route over " + gateway.getHostAddress(),
                RTM_NEWROUTE, NetlinkMessage.CREATE | NetlinkMessage.EXCLUSIVE)
                .u8(family(gateway)).u8(0).u8(0).u8(0).u8(TABLE_MAIN).u8(PROTOCOL_BOOT).u8(0).u8(TYPE_UNICAST).u32(0)
                .attribute(RTA_GATEWAY, gateway.getAddress())
                .attribute32(RTA_OIF, linkIndex));
    }

    /** All addresses of all interfaces. */
    public List<InterfaceAddress> addresses() {
        return netlink.dump(new NetlinkMessage("list addresses", RTM_GETADDR, 0).u8(0).u8(0).u8(0).u8(0).u32(0))
                .stream().map(Routes::read).toList();
    }

    private static InterfaceAddress read(Netlink.Answer answer) {
        NetlinkAttributes attributes = NetlinkAttributes.read(answer.payload(), 8);
        byte[] bytes = attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS);
        try {
            int index = ByteBuffer.wrap(answer.payload()).order(ByteOrder.nativeOrder()).getInt(4);
            return new InterfaceAddress(index, InetAddress.getByAddress(bytes), answer.payload()[1]);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("the kernel named an address of " + bytes.length + " bytes", e);
        }
    }

    static byte[] broadcast(byte[] address, int prefix) {
        int mask = prefix == 0 ? -1 : (1 << 32 - prefix) - 1;
        int number = ByteBuffer.wrap(address).getInt() | (prefix == 32 ? 0 : mask);
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    private static int family(InetAddress address) {
        return address instanceof Inet6Address ? AF_INET6 : AF_INET;
    }
}
