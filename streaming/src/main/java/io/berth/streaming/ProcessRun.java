package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One exec or attach from the moment its streams are there: the call, the status, the end. */
final class ProcessRun {

    private static final Logger LOG = LoggerFactory.getLogger(ProcessRun.class);

    private final StreamTarget target;
    private final ProcessRequest request;
    private final ClientConnection connection;
    private final RemoteStreams streams;
    private final boolean jsonStatus;

    ProcessRun(
            StreamTarget target,
            ProcessRequest request,
            ClientConnection connection,
            RemoteStreams streams,
            boolean jsonStatus) {
        this.target = target;
        this.request = request;
        this.connection = connection;
        this.streams = streams;
        this.jsonStatus = jsonStatus;
    }

    /** Hands the run to the executor. */
    void start() {
        try {
            connection.executor().execute(this::run);
        } catch (RejectedExecutionException shutDown) {
            connection.abort();
        }
    }

    private void run() {
        StatusMessage status;
        try {
            status = call();
        } catch (StalledClient stalled) {
            LOG.atWarn().addKeyValue("container", request.containerId()).log(stalled.getMessage());
            streams.signal().cancel();
            streams.in().ifPresent(Inbox::close);
            connection.abort();
            return;
        }
        streams.signal().cancel();
        streams.in().ifPresent(Inbox::close);
        streams.out().ifPresent(Outbox::close);
        streams.err().ifPresent(Outbox::close);
        try {
            String message = jsonStatus ? status.json() : status.text();
            streams.status().write(message.getBytes(UTF_8));
        } catch (IOException clientGone) {
            LOG.atDebug().addKeyValue("container", request.containerId()).log("client left before the status");
        }
        streams.status().close();
        connection.finish();
    }

    private StatusMessage call() {
        String action =
                switch (request) {
                    case ExecRequest exec -> "error executing command in container";
                    case AttachRequest attach -> "error attaching to container";
                };
        try {
            return switch (request) {
                case ExecRequest exec -> {
                    int code = target.exec(exec, streams);
                    yield code == 0 ? new StatusMessage.Success() : new StatusMessage.Exit(code, exec.command());
                }
                case AttachRequest attach -> {
                    target.attach(attach, streams);
                    yield new StatusMessage.Success();
                }
            };
        } catch (StalledClient stalled) {
            throw stalled;
        } catch (IOException | RuntimeException failure) {
            LOG.atInfo()
                    .addKeyValue("container", request.containerId())
                    .addKeyValue("reason", failure.toString())
                    .log("stream ended with a failure");
            return StatusMessage.failed(action, failure);
        }
    }
}
