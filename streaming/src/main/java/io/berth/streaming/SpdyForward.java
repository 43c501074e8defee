package io.berth.streaming;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;

/**
 * Port-forward over SPDY: every connection is a data stream and an error stream with the same request id, many in one
 * session. Event loop only.
 */
final class SpdyForward implements SpdySession.Streams {

    /** Half a thousand connections of one client, each with a thread and a socket in the pod. */
    private static final int STREAM_LIMIT = 1024;

    private final SpdySession session;
    private final StreamTarget target;
    private final PortForwardRequest request;
    private final Duration creationTimeout;
    private final Map<String, Half> waiting = new HashMap<>();
    private final Map<SpdyStream, ForwardRun> running = new HashMap<>();

    /** The stream that came first, until the other comes or the timer runs out. */
    private record Half(SpdyStream stream, int port, ScheduledFuture<?> timer) {}

    SpdyForward(SpdySession session, StreamTarget target, PortForwardRequest request, Duration creationTimeout) {
        this.session = session;
        this.target = target;
        this.request = request;
        this.creationTimeout = creationTimeout;
    }

    @Override
    public int limit() {
        return STREAM_LIMIT;
    }

    @Override
    public boolean opened(SpdyStream stream) {
        String type = stream.labels().type();
        Optional<Integer> port = port(stream.labels().port());
        if (port.isEmpty() || !(type.equals("data") || type.equals("error"))) {
            return false;
        }
        if (type.equals("data")) {
            // From here on, for the client may send before its second stream is there.
            stream.sink(new Inbox(session.connection()));
        }
        String id = requestId(stream);
        Half other = waiting.get(id);
        if (other == null) {
            waiting.put(id, new Half(stream, port.get(), session.connection()
                    .after(creationTimeout, () -> tooLate(id, stream))));
            return true;
        }
        if (other.stream.labels().type().equals(type) || other.port != port.get()) {
            // Refused: the sink has nothing in it yet.
            return false;
        }
        waiting.remove(id);
        other.timer.cancel(false);
        boolean data = type.equals("data");
        start(data ? stream : other.stream, data ? other.stream : stream, port.get());
        return true;
    }

    private void start(SpdyStream data, SpdyStream error, int port) {
        ForwardRun run = new ForwardRun(
                target,
                request,
                port,
                session.connection(),
                (Inbox) data.sink(),
                data.out(),
                error.out(),
                () -> done(data, error));
        running.put(data, run);
        run.start();
    }

    private void done(SpdyStream data, SpdyStream error) {
        running.remove(data);
        session.forget(error);
        session.forget(data);
    }

    private void tooLate(String id, SpdyStream stream) {
        Half half = waiting.get(id);
        if (half != null && half.stream == stream) {
            waiting.remove(id);
            discard(stream);
            stream.out().close();
            session.forget(stream);
        }
    }

    /** Nobody will read what has come: it must not count as queued for ever. */
    private static void discard(SpdyStream stream) {
        if (stream.sink() instanceof Inbox inbox) {
            inbox.close();
        }
        stream.sink(DataSink.DISCARD);
    }

    /**
     * Clients of before request ids open the error stream and right after it the data stream: ids two apart, and the
     * error stream's stands for both (k8s.io/kubelet, portforward/httpstream.go).
     */
    private static String requestId(SpdyStream stream) {
        String id = stream.labels().requestId();
        if (!id.isEmpty()) {
            return id;
        }
        boolean error = stream.labels().type().equals("error");
        return "stream " + (error ? stream.id() : stream.id() - 2);
    }

    private static Optional<Integer> port(String text) {
        try {
            int port = Integer.parseInt(text);
            return PortForwardRequest.isPort(port) ? Optional.of(port) : Optional.empty();
        } catch (NumberFormatException notANumber) {
            return Optional.empty();
        }
    }

    @Override
    public void reset(SpdyStream stream) {
        Optional.ofNullable(running.get(stream)).ifPresent(ForwardRun::broken);
        String id = requestId(stream);
        Half half = waiting.get(id);
        if (half != null && half.stream == stream) {
            waiting.remove(id);
            half.timer.cancel(false);
            discard(stream);
        }
    }

    @Override
    public void gone() {
        waiting.values().forEach(half -> half.timer.cancel(false));
        waiting.clear();
        running.values().forEach(ForwardRun::broken);
        running.clear();
    }
}
