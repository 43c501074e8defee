package io.berth.streaming;

import java.io.IOException;

/**
 * The runtime's side of a stream: what a client is joined to after the upgrade.
 *
 * <p>Each call has a thread of the server's executor to itself and may block. The streams belong to the call: they end
 * when it returns. A write blocks while the client does not read; a read blocks until the client sends. When the client
 * vanishes, reads and writes throw {@link IOException} and the {@code onClose} actions run. Whatever a call throws is
 * told to the client as an internal error.
 */
public interface StreamTarget {

    /** Runs the command to its end and returns its exit code, 0 to 255. */
    int exec(ExecRequest request, ProcessStreams streams) throws IOException;

    /** Joins the streams to the container's process; returns when that ends or the client leaves. */
    void attach(AttachRequest request, ProcessStreams streams) throws IOException;

    /** Joins one connection to {@code port} of the pod; returns when both directions have ended. */
    void portForward(PortForwardRequest request, int port, ForwardedConnection connection) throws IOException;
}
