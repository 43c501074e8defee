package io.berth.streaming;

import java.io.InputStream;
import java.io.OutputStream;

/**
 * The client's end of one forwarded connection. Thread-safe; each direction is meant for one thread.
 *
 * <p>Both directions end when {@link StreamTarget#portForward} returns.
 */
public interface ForwardedConnection {

    /** Ends with -1 at the client's half-close; throws when the client has vanished or reset the connection. */
    InputStream fromClient();

    /** Closing it is the half-close towards the client. */
    OutputStream toClient();

    /** Runs {@code action} on the server's executor when the client vanishes or resets before the call has returned. */
    void onClose(Runnable action);
}
