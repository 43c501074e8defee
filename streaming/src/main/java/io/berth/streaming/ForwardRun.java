package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One forwarded connection: the call, its error, the end. */
final class ForwardRun implements ForwardedConnection {

    private static final Logger LOG = LoggerFactory.getLogger(ForwardRun.class);

    private final StreamTarget target;
    private final PortForwardRequest request;
    private final int port;
    private final ClientConnection connection;
    private final Inbox in;
    private final Outbox out;
    private final Outbox error;
    private final CloseSignal signal;
    private final Runnable whenDone;

    /** {@code whenDone} runs on the event loop after the last byte. */
    ForwardRun(
            StreamTarget target,
            PortForwardRequest request,
            int port,
            ClientConnection connection,
            Inbox in,
            Outbox out,
            Outbox error,
            Runnable whenDone) {
        this.target = target;
        this.request = request;
        this.port = port;
        this.connection = connection;
        this.in = in;
        this.out = out;
        this.error = error;
        this.whenDone = whenDone;
        this.signal = new CloseSignal(connection.executor());
    }

    void start() {
        try {
            connection.executor().execute(this::run);
        } catch (RejectedExecutionException shutDown) {
            connection.abort();
        }
    }

    /** The client has reset this connection or vanished. */
    void broken() {
        signal.fire();
        in.broken();
        out.abort();
    }

    private void run() {
        try {
            target.portForward(request, port, this);
        } catch (IOException | RuntimeException failure) {
            tell(StatusMessage.failed(
                    "error forwarding port " + port + " to pod " + request.sandboxId(), failure));
        }
        signal.cancel();
        in.close();
        out.close();
        error.close();
        connection.onLoop(whenDone);
    }

    private void tell(StatusMessage failure) {
        String message = ((StatusMessage.Failure) failure).message();
        LOG.atInfo()
                .addKeyValue("pod", request.sandboxId())
                .addKeyValue("port", port)
                .addKeyValue("reason", message)
                .log("forwarded connection failed");
        try {
            error.write(message.getBytes(UTF_8));
        } catch (IOException clientGone) {
            LOG.atDebug().addKeyValue("pod", request.sandboxId()).log("client left before the error");
        }
    }

    @Override
    public InputStream fromClient() {
        return in;
    }

    @Override
    public OutputStream toClient() {
        return out;
    }

    @Override
    public void onClose(Runnable action) {
        signal.onClose(action);
    }
}
