package io.berth.network;

import java.net.InetAddress;
import java.util.List;

/**
 * How a sandbox is attached. Immutable.
 *
 * @param addresses of the pod's interface, the primary one first; empty when the network gives none
 * @param interfaces all interfaces that were made, on the host and in the sandbox
 * @param rawResultJson the CNI result (or one of the same form), for the verbose sandbox status
 */
public record Attachment(List<InetAddress> addresses, List<Interface> interfaces, String rawResultJson) {

    /**
     * One interface.
     *
     * @param mac hardware address, empty when unknown
     * @param sandbox path of its network namespace, empty for the host's
     */
    public record Interface(String name, String mac, String sandbox) {}

    public Attachment {
        addresses = List.copyOf(addresses);
        interfaces = List.copyOf(interfaces);
    }
}
