package io.berth.network.builtin;

import io.berth.base.RuntimeFault;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * A range of addresses in CIDR form, IPv4 or IPv6. Immutable.
 *
 * @param network its first address, all host bits zero
 * @param prefix the number of network bits
 */
public record Subnet(InetAddress network, int prefix) {

    /** Beyond this many, addresses are not handed out: keeps indexes small for IPv6 too. */
    private static final int MOST_HOST_BITS = 24;

    /**
     * Reads {@code "10.189.0.0/16"} or {@code "fd00:be::/64"}.
     *
     * @throws RuntimeFault INVALID_ARGUMENT when it is not a subnet, has host bits set or is too small for a pod
     */
    public static Subnet parse(String text) {
        int slash = text.indexOf('/');
        try {
            InetAddress address = InetAddress.ofLiteral(text.substring(0, Math.max(0, slash)));
            int prefix = Integer.parseInt(text.substring(slash + 1));
            int bits = address.getAddress().length * 8;
            if (prefix < 1 || prefix > bits - 2) {
                throw RuntimeFault.invalid("read subnet " + text + ": the prefix must be 1 to " + (bits - 2));
            }
            Subnet subnet = new Subnet(address, prefix);
            if (!subnet.address(0).equals(address)) {
                throw RuntimeFault.invalid("read subnet " + text + ": host bits are set, write "
                        + new Subnet(subnet.masked(), prefix));
            }
            return subnet;
        } catch (IllegalArgumentException e) {
            throw RuntimeFault.invalid("read subnet " + text + ": not of the form ADDRESS/PREFIX");
        }
    }

    private InetAddress masked() {
        return address(0);
    }

    /** The address at {@code index} from the start; 0 is the network itself. */
    public InetAddress address(int index) {
        byte[] bytes = network.getAddress();
        int bits = bytes.length * 8;
        BigInteger base = new BigInteger(1, bytes).shiftRight(bits - prefix).shiftLeft(bits - prefix);
        byte[] sum = base.add(BigInteger.valueOf(index)).toByteArray();
        byte[] result = new byte[bytes.length];
        for (int i = 0; i < Math.min(sum.length, result.length); i++) {
            result[result.length - 1 - i] = sum[sum.length - 1 - i];
        }
        try {
            return InetAddress.getByAddress(result);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The bridge's own address, the pods' gateway. */
    public InetAddress gateway() {
        return address(1);
    }

    /** The first index for pods. */
    public int firstIndex() {
        return 2;
    }

    /** The last index for pods; the broadcast address is left out. */
    public int lastIndex() {
        int hostBits = Math.min(MOST_HOST_BITS, network.getAddress().length * 8 - prefix);
        return (1 << hostBits) - 2;
    }

    /** Whether {@code address} is of this range. */
    public boolean contains(InetAddress address) {
        return address.getAddress().length == network.getAddress().length
                && new Subnet(address, prefix).masked().equals(network);
    }

    /** Whether it is a range of IPv6. */
    public boolean isIpv6() {
        return network.getAddress().length == 16;
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefix;
    }
}
