package io.berth.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;

/**
 * Exec or attach over SPDY: waits until the client has opened the stream of every kind that the request calls for, then
 * starts. Event loop only. Kinds: k8s.io/api/core/v1 StreamType constants.
 */
final class SpdyProcess implements SpdySession.Streams {

    private static final int STREAM_LIMIT = 16;

    private final SpdySession session;
    private final StreamTarget target;
    private final ProcessRequest request;
    private final ChannelProtocol protocol;
    private final Set<String> missing = new HashSet<>();
    private final Map<String, SpdyStream> streams = new HashMap<>();
    private final ResizeFeed resize;
    private final CloseSignal signal;
    private final ScheduledFuture<?> creationTimer;
    private Optional<Inbox> stdin = Optional.empty();

    SpdyProcess(
            SpdySession session,
            StreamTarget target,
            ProcessRequest request,
            ChannelProtocol protocol,
            Duration creationTimeout) {
        this.session = session;
        this.target = target;
        this.request = request;
        this.protocol = protocol;
        this.resize = new ResizeFeed(session.connection().executor());
        this.signal = new CloseSignal(session.connection().executor());
        expect(true, "error");
        expect(request.stdin(), "stdin");
        expect(request.stdout(), "stdout");
        expect(request.stderr(), "stderr");
        expect(request.tty() && protocol.resizes(), "resize");
        this.creationTimer = session.connection().after(creationTimeout, this::tooLate);
    }

    private void expect(boolean wanted, String type) {
        if (wanted) {
            missing.add(type);
        }
    }

    @Override
    public int limit() {
        return STREAM_LIMIT;
    }

    @Override
    public boolean opened(SpdyStream stream) {
        String type = stream.labels().type();
        if (streams.containsKey(type)) {
            return false;
        }
        switch (type) {
            case "error", "stdout", "stderr" -> {}
            case "resize" -> stream.sink(resize);
            case "stdin" -> {
                if (request.stdin()) {
                    Inbox inbox = new Inbox(session.connection());
                    stdin = Optional.of(inbox);
                    stream.sink(inbox);
                }
            }
            default -> {
                return false;
            }
        }
        streams.put(type, stream);
        if (missing.remove(type) && missing.isEmpty()) {
            start();
        }
        return true;
    }

    private void start() {
        creationTimer.cancel(false);
        RemoteStreams remote = new RemoteStreams(
                stdin,
                request.stdout() ? Optional.of(streams.get("stdout").out()) : Optional.empty(),
                request.stderr() ? Optional.of(streams.get("stderr").out()) : Optional.empty(),
                streams.get("error").out(),
                resize,
                signal);
        new ProcessRun(target, request, session.connection(), remote, protocol.jsonStatus()).start();
    }

    private void tooLate() {
        if (missing.isEmpty()) {
            return;
        }
        Optional.ofNullable(streams.get("error")).map(SpdyStream::out).ifPresent(this::tellTooLate);
        session.connection().finish();
    }

    private void tellTooLate(Outbox error) {
        StatusMessage status = new StatusMessage.Failure(
                "timed out waiting for client to create streams: " + String.join(", ", missing));
        try {
            // Nothing was written before: there is room, and this does not wait on the event loop.
            error.write((protocol.jsonStatus() ? status.json() : status.text()).getBytes(UTF_8));
            error.close();
        } catch (IOException clientGone) {
            session.connection().abort();
        }
    }

    @Override
    public void reset(SpdyStream stream) {
        // A reset output makes its writes fail, a reset input its reads: the process finds out by itself.
    }

    @Override
    public void gone() {
        creationTimer.cancel(false);
        signal.fire();
    }
}
