package io.berth.network;

import io.berth.base.RuntimeFault;
import java.net.InetAddress;
import java.util.Optional;

/**
 * A port of the host that leads to a port of the pod. Immutable.
 *
 * @param containerPort 1 to 65535
 * @param hostPort 1 to 65535, or 0 when the port is only declared
 * @param hostIp the host address to listen at, empty for all
 */
public record PortMapping(Protocol protocol, int containerPort, int hostPort, String hostIp) {

    /** Transport protocols that Kubernetes knows, with their IP protocol numbers. */
    public enum Protocol {
        TCP(6),
        UDP(17),
        SCTP(132);

        private final int number;

        Protocol(int number) {
            this.number = number;
        }

        /** The number in the IP header. */
        public int number() {
            return number;
        }
    }

    public PortMapping {
        requirePort("container", containerPort, 1);
        requirePort("host", hostPort, 0);
    }

    /** Whether a host port was asked for. */
    public boolean isPublished() {
        return hostPort != 0;
    }

    /**
     * The host address, empty for all addresses.
     *
     * @throws RuntimeFault INVALID_ARGUMENT when {@link #hostIp} is not an IP address
     */
    public Optional<InetAddress> hostAddress() {
        if (hostIp.isBlank()) {
            return Optional.empty();
        }
        try {
            InetAddress address = InetAddress.ofLiteral(hostIp);
            return address.isAnyLocalAddress() ? Optional.empty() : Optional.of(address);
        } catch (IllegalArgumentException e) {
            throw RuntimeFault.invalid("map host port " + hostPort + ": host IP \"" + hostIp + "\" is not an IP address");
        }
    }

    private static void requirePort(String which, int port, int least) {
        if (port < least || port > 65535) {
            throw RuntimeFault.invalid("map port: " + which + " port " + port + " is not between " + least + " and 65535");
        }
    }
}
