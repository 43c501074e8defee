package io.berth.network.builtin;

import java.net.InetAddress;
import java.util.HexFormat;

/** Hardware addresses that follow from IP addresses. */
final class Mac {

    private Mac() {}

    /**
     * {@code 0a:58} and the last four bytes of the address. A pod that gets a reused address has the old one's hardware
     * address too, so no neighbour keeps a stale ARP entry.
     */
    static String of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return "0a:58:" + HexFormat.ofDelimiter(":").formatHex(bytes, bytes.length - 4, bytes.length);
    }
}
