package io.berth.streaming;

import io.berth.base.RuntimeFault;
import java.util.List;

/**
 * Forward connections to ports of a pod.
 *
 * @param ports what a WebSocket client asked for, 1 to 65535, at most {@value #MAX_PORTS}; empty for SPDY clients,
 *     which name the port of each connection when they open it
 */
public record PortForwardRequest(String sandboxId, List<Integer> ports) implements StreamRequest {

    /** A WebSocket channel number is one byte, a port needs two channels, and 255 is reserved. */
    public static final int MAX_PORTS = 127;

    public PortForwardRequest {
        ports = List.copyOf(ports);
        if (sandboxId.isEmpty()) {
            throw RuntimeFault.invalid("port-forward: sandbox id is empty");
        }
        if (ports.size() > MAX_PORTS) {
            throw RuntimeFault.invalid("port-forward " + sandboxId + ": more than " + MAX_PORTS + " ports");
        }
        for (int port : ports) {
            if (!isPort(port)) {
                throw RuntimeFault.invalid("port-forward " + sandboxId + ": " + port + " is not a port");
            }
        }
    }

    static boolean isPort(int port) {
        return port >= 1 && port <= 65535;
    }
}
